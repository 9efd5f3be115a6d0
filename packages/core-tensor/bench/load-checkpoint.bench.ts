import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeModel } from './checkpoint-model.js';
import { interleaved, report } from './measure.js';

const child = fileURLToPath(new URL('./load-checkpoint.child.ts', import.meta.url));

interface Measured {
  readonly seconds: number;
  /** Bytes of memory beyond those before. */
  readonly peak: number;
  /** Bytes of the parameters. */
  readonly loaded: number;
}

async function measure(mode: 'read' | 'stream' | 'load' | 'engine', folder: string): Promise<Measured> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child, mode, folder]);
  return JSON.parse(stdout) as Measured;
}

async function bytesIn(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.safetensors'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const folder = await mkdtemp(join(tmpdir(), 'ocelli-load-'));
try {
  const [float32, bfloat16] = [join(folder, 'float32'), join(folder, 'bfloat16')];
  await writeModel(float32, 'float32');
  const fileBytes = await bytesIn(float32);
  let peak = 0;
  const [read, load, stream] = await interleaved(
    async () => (await measure('read', float32)).seconds,
    async () => {
      const measured = await measure('load', float32);
      peak = Math.max(peak, measured.peak);
      return measured.seconds;
    },
    async () => (await measure('stream', float32)).seconds,
  );
  const onEngine = await measure('engine', float32);
  await rm(float32, { recursive: true });
  await writeModel(bfloat16, 'bfloat16');
  const [readHalves, loadHalves] = await interleaved(
    async () => (await measure('read', bfloat16)).seconds,
    async () => (await measure('load', bfloat16)).seconds,
  );
  const halves = await measure('load', bfloat16);

  const ratio = load!.median / read!.median;
  report('load-checkpoint-time', ratio, '<= 1.5', ratio <= 1.5, {
    ratioOfBest: load!.best / read!.best,
    fileGigabytes: fileBytes / 1e9,
    loadSeconds: load!.median,
    readSeconds: read!.median,
    readThroughOneBufferSeconds: stream!.median,
    loadFromBfloat16Seconds: loadHalves!.median,
    readBfloat16Seconds: readHalves!.median,
  });
  const memory = peak / fileBytes;
  report('load-checkpoint-memory', memory, '<= 1.15', memory <= 1.15, {
    peakGigabytes: peak / 1e9,
    onEngine: onEngine.peak / onEngine.loaded,
    fromBfloat16OverLoaded: halves.peak / halves.loaded,
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
