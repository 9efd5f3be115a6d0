import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { runCommandLine } from '../src/command-line.js';
import { memoryTerminal } from './memory-terminal.js';

const commands = ['reproduce', 'train', 'eval', 'generate', 'plan', 'inspect', 'doctor', 'parity'];

async function run(...args: string[]) {
  const terminal = memoryTerminal();
  const code = await runCommandLine(args, terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('ocelli', () => {
  it('lists its commands in the help, with an example', async () => {
    const { code, output, errors } = await run('--help');
    expect(code).toBe(0);
    expect(errors).toBe('');
    for (const command of commands) expect(output).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(output).toMatch(/Example:\n {2}\$ ocelli /);
  });

  it.each(commands)('describes %s, with an example', async (command) => {
    const { code, output } = await run(command, '--help');
    expect(code).toBe(0);
    expect(output).toMatch(new RegExp(`^Usage: ocelli ${command} `));
    expect(output).toMatch(new RegExp(`Examples?:\\n {2}\\$ ocelli ${command}`));
  });

  it('prints its version', async () => {
    expect(await run('--version')).toEqual({ code: 0, output: `${packageJson.version}\n`, errors: '' });
  });

  it('prints the help on standard error where no command is given', async () => {
    const { code, output, errors } = await run();
    expect(code).toBe(2);
    expect(output).toBe('');
    expect(errors).toMatch(/^Usage: ocelli/);
  });

  it('names the commands where it is given an unknown one, and the nearest', async () => {
    expect(await run('pairty')).toEqual({
      code: 2,
      output: '',
      errors:
        'command: expected one of reproduce, train, eval, generate, plan, inspect, visualize, doctor, parity, received "pairty". Did you mean parity?\n',
    });
    expect((await run('install')).errors).not.toMatch(/Did you mean/);
  });

  it.each([
    [['parity', '--kinds', 'x'], /unknown option '--kinds'\n\(Did you mean --kind\?\)/],
    [['parity', 'honeybee'], /too many arguments for 'parity'/],
    [['reproduce'], /missing required argument 'recipe'/],
    [['reproduce', 'honeybee', '--scale', 'huge'], /argument 'huge' is invalid\. Allowed choices are mini\./],
    [['reproduce', 'honeybee', '--seeds', '0'], /argument '0' is invalid\. Expected a whole number of at least 1\./],
    [['eval', 'runs/a', '--limit', '2.5'], /argument '2\.5' is invalid/],
  ])('refuses %j', async (args, message) => {
    const { code, output, errors } = await run(...args);
    expect(code).toBe(2);
    expect(output).toBe('');
    expect(errors).toMatch(message);
    expect(errors).not.toMatch(/^error:/);
  });

  it('prints only the message of an error, and its stack with --debug', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ocelli-cli-'));
    const missing = join(folder, 'missing');
    try {
      const message = `parity: expected --fixtures to be a folder, received ${JSON.stringify(missing)}.\n`;
      expect(await run('parity', '--fixtures', missing)).toEqual({ code: 2, output: '', errors: message });
      const { errors } = await run('parity', '--fixtures', missing, '--debug');
      expect(errors.slice(message.length)).toMatch(/^UsageError: parity: .*\n +at /);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
