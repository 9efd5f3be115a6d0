import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSafetensors, serializeSafetensors } from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtureFolders } from '../../src/parity/fixture-folders.js';
import { parityCommand } from '../../src/parity/parity.js';
import { memoryTerminal } from '../memory-terminal.js';

const repository = fileURLToPath(new URL('../../../..', import.meta.url));
const source = join(repository, 'packages/core-tensor/test/fixtures/backbones/ops_norm.safetensors');

let folder: string;

/** The fixture with one of its tensors moved. */
async function changedFixture(): Promise<Uint8Array> {
  const { tensors, metadata } = parseSafetensors(await readFile(source));
  const name = 'out.rms_norm.y';
  const { shape, data } = tensors.get(name)!;
  const moved = Float32Array.from(data as Float32Array, (value) => value + 0.01);
  return serializeSafetensors(new Map([...tensors, [name, { dtype: 'float32' as const, shape, data: moved }]]), {
    metadata,
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-parity-'));
  for (const name of ['good', 'changed', 'broken', 'empty', 'others/tokenizer'])
    await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'good/norm.safetensors'), await readFile(source));
  await writeFile(join(folder, 'changed/norm.safetensors'), await changedFixture());
  await writeFile(join(folder, 'broken/cut.safetensors'), (await readFile(source)).subarray(0, 100));
  await writeFile(join(folder, 'broken/cut.json'), '{"kind": ');
  await writeFile(join(folder, 'others/one.json'), '{"kind": "nobody/one"}');
  await writeFile(join(folder, 'others/two.json'), '{"kind": "nobody/one"}');
  await writeFile(join(folder, 'others/tokenizer/tokenizer.json'), '{"version": "1.0"}');
  await writeFile(join(folder, 'others/tokenizer/list.json'), 'null');
  await writeFile(join(folder, 'others/model.safetensors'), serializeSafetensors({}, { metadata: { format: 'pt' } }));
});

afterAll(() => rm(folder, { recursive: true }));

async function run(options: Parameters<typeof parityCommand>[1]) {
  const terminal = memoryTerminal();
  const code = await parityCommand(terminal, options);
  return { code, lines: terminal.output.trimEnd().split('\n'), errors: terminal.errors };
}

describe('parity', () => {
  it('passes a fixture that agrees, with its errors', async () => {
    const { code, lines } = await run({ fixtures: [join(folder, 'good')] });
    expect(code).toBe(0);
    expect(lines[0]).toMatch(
      /^backbones\/ops_norm {2}norm\.safetensors {2}forward \d\.\de-\d +gradient \d\.\de-\d +pass$/,
    );
    expect(lines.at(-1)).toBe('1 passed, 0 failed');
  });

  it('fails where a number differs', async () => {
    const { code, lines } = await run({ fixtures: [join(folder, 'changed')] });
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/forward \d\.\de-3 .* FAIL$/);
    expect(lines.at(-1)).toBe('0 passed, 1 failed');
  });

  it('fails where a file cannot be read, and says why', async () => {
    const { code, lines } = await run({ fixtures: [join(folder, 'broken')] });
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/^\(unreadable\) {2}cut\.json .* FAIL$/);
    expect(lines[1]).toMatch(/JSON/);
    expect(lines[2]).toMatch(/^\(unreadable\) {2}cut\.safetensors .* FAIL$/);
    expect(lines.at(-1)).toBe('0 passed, 2 failed');
  });

  it('skips files that are no fixtures, and counts kinds that nobody compares', async () => {
    const others = [join(folder, 'others')];
    const { code, lines } = await run({ fixtures: others });
    expect(lines.filter((line) => line !== '')).toEqual([
      'No package answers for 2 fixtures of 1 kinds:',
      '  nobody/one (2)',
      '0 passed, 0 failed',
    ]);
    expect(code).toBe(0);
    const strict = await run({ fixtures: others, strict: true });
    expect(strict.code).toBe(1);
    expect(strict.lines).toContain('  nobody/one (2)');
    expect(strict.errors).toBe('parity: expected a package for every kind (--strict), found 1 without.\n');
  });

  it('compares the fixtures of several folders, each once', async () => {
    const fixtures = [join(folder, 'good'), join(folder, 'changed'), join(folder, 'good')];
    const { code, lines } = await run({ fixtures });
    expect(code).toBe(1);
    expect(lines.filter((line) => line.includes('forward')).map((line) => line.split(/ {2,}/)[1])).toEqual([
      'good/norm.safetensors',
      'changed/norm.safetensors',
    ]);
    expect(lines.at(-1)).toBe('1 passed, 1 failed');
  });

  it('fails for a folder without fixtures: alone always, beside others if it is strict', async () => {
    const [good, empty] = [join(folder, 'good'), join(folder, 'empty')];
    const alone = await run({ fixtures: [empty] });
    expect(alone).toMatchObject({ code: 1, errors: expect.stringMatching(/expected fixtures in .*empty, found none/) });
    expect((await run({ fixtures: [good, empty] })).code).toBe(0);
    const strict = await run({ fixtures: [good, empty], strict: true });
    expect(strict.code).toBe(1);
    expect(strict.errors).toMatch(/^parity: expected fixtures in .*empty, found none\.\n$/);
    expect((await run({ fixtures: [good], strict: true })).code).toBe(0);
  });

  it('chooses kinds by name or beginning', async () => {
    expect((await run({ fixtures: [folder], kind: 'nobody/' })).lines.at(-1)).toBe('0 passed, 2 failed');
    const { code, errors } = await run({ fixtures: [join(folder, 'good')], kind: 'honeybee' });
    expect(code).toBe(1);
    expect(errors).toMatch(/^parity: expected fixtures of kind honeybee in .*, found none\.\n$/);
  });
});

describe('fixtureFolders', () => {
  it("finds the packages' fixtures from anywhere in a checkout", async () => {
    const { root, folders } = await fixtureFolders(undefined, join(repository, 'packages/data/src'));
    expect(`${root}/`).toBe(repository);
    expect(folders).toContain(join(root, 'packages/core-tensor/test/fixtures'));
  });

  it('asks for a folder outside of a checkout, and refuses one that is none', async () => {
    await expect(fixtureFolders(undefined, folder)).rejects.toThrow(
      /expected a checkout .* Name a folder with --fixtures\./,
    );
    await expect(fixtureFolders([folder, source], folder)).rejects.toThrow(
      /expected --fixtures to be a folder, received ".*ops_norm/,
    );
  });
});
