import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  entryPoints,
  exportedFiles,
  type Manifest,
  publishedPackages,
  readManifest,
  repository,
} from './support/published-packages.js';
import { node, pnpm, run } from './support/run.js';

const packages = publishedPackages();
const names = packages.map(({ manifest }) => manifest.name);
const imports = packages.flatMap(({ manifest }) => entryPoints(manifest));

/** Where the tarballs are, and a project that has installed them all. */
let folder: string;
let project: string;

const installed = (name: string) => join(project, 'node_modules', ...name.split('/'));

beforeAll(async () => {
  const unbuilt = packages.filter(({ directory }) => !existsSync(join(repository, directory, 'dist')));
  if (unbuilt.length > 0)
    throw new Error(`build first (pnpm build): no dist in ${unbuilt.map(({ directory }) => directory).join(', ')}`);
  folder = await mkdtemp(join(tmpdir(), 'ocelli-packages-'));
  project = join(folder, 'project');
  await mkdir(project);
  const filters = names.flatMap((name) => ['--filter', name]);
  await pnpm(repository, '--recursive', ...filters, 'pack', '--pack-destination', folder);
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz')).map((name) => `../${name}`);
  await writeFile(join(project, 'package.json'), '{ "name": "project", "private": true }');
  await run(project, 'npm', [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    ...tarballs,
  ]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(packages)('$manifest.name', ({ directory, manifest }) => {
  it('describes itself: license, engine, repository, keywords', () => {
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      type: 'module',
      sideEffects: false,
      engines: { node: '>=20.19' },
      description: expect.stringMatching(/\w+ \w+/),
      keywords: expect.arrayContaining(['ocelli']),
      publishConfig: { access: 'public', provenance: true },
      repository: { type: 'git', url: 'git+https://github.com/ocelli/ocelli.git', directory },
    });
  });

  it('exports its types first, and its package.json', () => {
    expect(manifest.exports['./package.json']).toBe('./package.json');
    const conditions = (target: unknown): string[][] =>
      typeof target === 'string'
        ? []
        : [Object.keys(target as object), ...Object.values(target as object).flatMap(conditions)];
    for (const keys of Object.values(manifest.exports).flatMap(conditions)) {
      if (keys.includes('types')) expect(keys[0]).toBe('types');
      expect(keys).not.toEqual([]);
    }
  });

  it('ships what it exports, a README and a license, and no sources', async () => {
    const files = await readdir(installed(manifest.name), { recursive: true });
    const targets = [...exportedFiles(manifest.exports), ...Object.values(manifest.bin ?? {})];
    expect(files).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', ...targets.map((file) => file.replace(/^\.\//, ''))]),
    );
    expect(files.filter((file) => /(?<!\.d)\.[cm]?ts$|^(?:src|test|bench)\b/.test(file))).toEqual([]);
  });

  it('depends on versions that a registry knows', () => {
    const { dependencies = {}, peerDependencies = {} } = readManifest(installed(manifest.name));
    const ranges = Object.entries({ ...dependencies, ...peerDependencies });
    for (const [name, range] of ranges) {
      expect(range, name).toMatch(/^[\^~]?\d+\.\d+\.\d+$/);
      const ours = packages.find((each) => each.manifest.name === name);
      if (ours) expect(range).toBe(ours.manifest.version);
    }
  });

  it('has no problem that publint finds', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed(manifest.name), strict: true, pack: false });
    expect(
      messages.map((message) => formatMessage(message, pkg as unknown as Manifest & Record<string, unknown>)),
    ).toEqual([]);
  });
});

describe('a project that installs the packages', () => {
  const product =
    'const x = tensor([[1, 2, 3]]); console.log((await matmul(x, x, { transposeB: true }).data())[0]); await closeEngine();';

  it('imports every entry point as an ES module', async () => {
    const lines = imports.map(
      (name) => `console.log(${JSON.stringify(name)}, Object.keys(await import(${JSON.stringify(name)})).length);`,
    );
    await writeFile(join(project, 'import.mjs'), lines.join('\n'));
    const counts = (await node(project, 'import.mjs'))
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    expect(counts.map(([name]) => name)).toEqual(imports);
    for (const [name, count] of counts) expect(Number(count), name).toBeGreaterThan(0);
  });

  it('requires every entry point as CommonJS', async () => {
    const lines = imports.map(
      (name) => `console.log(${JSON.stringify(name)}, Object.keys(require(${JSON.stringify(name)})).length);`,
    );
    await writeFile(join(project, 'require.cjs'), lines.join('\n'));
    const counts = (await node(project, '--no-warnings', 'require.cjs'))
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    expect(counts.map(([name]) => name)).toEqual(imports);
    for (const [name, count] of counts) expect(Number(count), name).toBeGreaterThan(0);
  });

  it('computes on the default engine, whose worker thread it finds', async () => {
    await writeFile(
      join(project, 'compute.mjs'),
      `import { closeEngine, matmul, tensor } from '@ocelli/core-tensor';\n${product}`,
    );
    expect(await node(project, 'compute.mjs')).toBe('14\n');
    const required = `const { closeEngine, matmul, tensor } = require('@ocelli/core-tensor');\n(async () => { ${product} })();`;
    await writeFile(join(project, 'compute.cjs'), required);
    expect(await node(project, 'compute.cjs')).toBe('14\n');
  });

  it('finds types for every entry point, from ES modules and CommonJS', async () => {
    const uses = [
      ...imports.map((name, index) => `import * as entry${index} from '${name}';`),
      `import { type Tensor, matmul, tensor } from '@ocelli/core-tensor';`,
      `export const entries = [${imports.map((_, index) => `entry${index}`).join(', ')}] as const;`,
      'export const product: Tensor = matmul(tensor([[1]]), tensor([[2]]));',
      '// @ts-expect-error A text is no tensor.',
      "matmul('1', product);",
    ].join('\n');
    await writeFile(join(project, 'module.mts'), uses);
    await writeFile(join(project, 'common.cts'), uses);
    const compilerOptions = {
      module: 'node20',
      target: 'es2023',
      strict: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(repository, 'node_modules/@types')],
    };
    await writeFile(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['module.mts', 'common.cts'] }),
    );
    expect(await node(project, join(repository, 'node_modules/typescript/bin/tsc'), '-p', '.')).toBe('');
  });

  it('has the command', async () => {
    const { version } = readManifest(join(repository, 'apps/cli'));
    const command = join(project, 'node_modules/.bin/ocelli');
    expect(await run(project, command, ['--version'])).toBe(`${version}\n`);
    const results = JSON.parse(await run(project, command, ['doctor', '--json'])) as { name: string; status: string }[];
    expect(results).toContainEqual(expect.objectContaining({ name: 'engine', status: 'ok' }));
    await expect(run(project, command, ['parity'])).rejects.toThrow(/Name a folder with --fixtures/);
    expect(await readFile(command, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});
