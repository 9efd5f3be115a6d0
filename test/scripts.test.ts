import { describe, expect, it } from 'vitest';
import { repository } from './support/published-packages.js';
import { node } from './support/run.js';

describe('pnpm bench', () => {
  it('lists the benchmarks with their files', async () => {
    const lines = (await node(repository, 'scripts/bench.mjs', '--list')).trim().split('\n');
    expect(lines.map((line) => line.replaceAll('\\', '/'))).toContain(
      'decoder-step  packages/core-tensor/bench/decoder-step.bench.ts',
    );
    expect(lines).toEqual([...lines].sort());
  });

  it('names the benchmarks where it is given another name', async () => {
    await expect(node(repository, 'scripts/bench.mjs', 'decoder-stop')).rejects.toThrow(
      /bench: expected names among .*decoder-step.*, received decoder-stop\./,
    );
  });
});

describe('pnpm test:cuda', () => {
  it('says by name why it is skipped where there is no card', async () => {
    const printed = await node(repository, 'scripts/test-cuda.mjs', '--where');
    expect(printed).toMatch(/^test:cuda: (skipped: .+\.|on .+)\n$/);
  });
});
