import { closeEngine, useEngine } from '@ocelli/core-tensor';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../src/command-line.js';
import { memoryTerminal } from '../memory-terminal.js';

vi.mock('@ocelli/core-tensor', async (original) => {
  const actual = await original<typeof import('@ocelli/core-tensor')>();
  return {
    ...actual,
    useEngine: vi.fn((name: string) => (name === 'cuda' ? undefined : actual.useEngine('reference'))),
  };
});

async function run(...args: string[]) {
  const terminal = memoryTerminal();
  const code = await runCommandLine(args, terminal);
  return { code, errors: terminal.errors };
}

/** Ends before anything is computed. */
const nothing = ['--fixtures', '/no/such/folder'];

describe('--engine', () => {
  afterEach(async () => {
    await closeEngine();
    vi.unstubAllEnvs();
    vi.mocked(useEngine).mockClear();
  });

  it('chooses the engine, and its precision', async () => {
    await run('parity', '--engine', 'reference', ...nothing);
    await run('parity', '--engine', 'cuda', '--precision', 'bfloat16', ...nothing);
    expect(vi.mocked(useEngine).mock.calls).toEqual([
      ['reference', {}],
      ['cuda', { precision: 'bfloat16' }],
    ]);
  });

  it('leaves the choice to the environment where it is not given', async () => {
    await run('parity', ...nothing);
    expect(useEngine).not.toHaveBeenCalled();
    vi.stubEnv('OCELLI_ENGINE', 'cuda');
    await run('parity', '--precision', 'tf32', ...nothing);
    expect(useEngine).toHaveBeenLastCalledWith('cuda', { precision: 'tf32' });
  });

  it('names the engines where there is no such, and refuses precisions of others', async () => {
    const unknown = await run('parity', '--engine', 'cud');
    expect(unknown.code).toBe(2);
    expect(unknown.errors).toMatch(
      /engine: expected one of ort, tfjs, cuda, reference, received "cud"\. Did you mean cuda\?/,
    );
    const precise = await run('parity', '--precision', 'bfloat16');
    expect(precise).toMatchObject({ code: 2, errors: expect.stringContaining('expected --engine cuda, received ort') });
    const strange = await run('parity', '--engine', 'cuda', '--precision', 'float64');
    expect(strange.errors).toMatch(/float32, tf32, bfloat16/);
    expect(useEngine).not.toHaveBeenCalled();
  });
});
