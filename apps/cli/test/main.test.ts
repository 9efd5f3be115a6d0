import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Runs the command in a process of its own. */
function run(
  args: readonly string[],
  { closesOutput = false } = {},
): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args]);
  let [output, errors] = ['', ''];
  if (closesOutput) child.stdout.destroy();
  else child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (errors += data));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output, errors })));
}

describe('the process', () => {
  it('exits with the code of its command', async () => {
    expect(await run(['--help'])).toMatchObject({
      code: 0,
      errors: '',
      output: expect.stringMatching(/^Usage: ocelli/),
    });
    expect(await run(['tarin'])).toMatchObject({
      code: 2,
      output: '',
      errors: expect.stringMatching(/Did you mean train\?\n$/),
    });
  });

  it('takes a reader that stops reading for no failure', async () => {
    expect(await run(['--help'], { closesOutput: true })).toEqual({ code: 0, output: '', errors: '' });
  });
});
