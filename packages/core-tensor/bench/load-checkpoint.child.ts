import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closeEngine, loadWeights, useEngine } from '../src/index.js';
import { CheckpointModel } from './checkpoint-model.js';

/** What is measured, in a process of its own: nothing is left over from a run before. */
const [mode, folder] = process.argv.slice(2) as ['read' | 'stream' | 'load' | 'engine', string];

/** Each file into memory of its own. */
async function readOnce(files: readonly string[]): Promise<void> {
  for (const file of files) await readFile(file);
}

/** All files through one buffer that stays in the processor's cache. */
async function streamOnce(files: readonly string[]): Promise<void> {
  const buffer = Buffer.alloc(2 ** 20);
  for (const file of files) {
    const handle = await open(file);
    while ((await handle.read(buffer)).bytesRead > 0);
    await handle.close();
  }
}

const files = (await readdir(folder)).filter((name) => name.endsWith('.safetensors')).map((name) => join(folder, name));
const model = new CheckpointModel();
const engine = mode === 'engine' ? await useEngine('ort') : undefined;
const base = process.memoryUsage.rss();
const start = performance.now();
if (mode === 'read') await readOnce(files);
else if (mode === 'stream') await streamOnce(files);
else await loadWeights(model, folder);
const seconds = (performance.now() - start) / 1000;
if (engine) {
  for (const parameter of Object.values(model.namedParameters())) await parameter.bufferOn(engine);
  await model.norm.weight.data();
}
const peak = process.resourceUsage().maxRSS * 1024 - base;
console.log(JSON.stringify({ seconds, peak, loaded: 4 * model.parameterCount() }));
await closeEngine();
