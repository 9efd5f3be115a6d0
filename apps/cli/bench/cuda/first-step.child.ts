import { closeEngine, useEngine } from '@ocelli/core-tensor';
import { decoderConfig } from '../../../../packages/language/bench/cuda/sizes.js';
import { decoderTraining } from './training.js';

/** Seconds since the process started, and what they went to. */
export interface FirstStep {
  readonly engine: number;
  readonly model: number;
  readonly step: number;
  readonly total: number;
}

const tiny = process.argv.includes('--tiny');
const now = () => performance.now() / 1e3;

await useEngine('cuda', { precision: 'bfloat16' });
const started = now();
const { step } = await decoderTraining(
  decoderConfig(tiny),
  tiny ? { batch: 2, tokens: 16 } : { batch: 8, tokens: 1024 },
);
const made = now();
const [loss] = await step();
await loss!.data();
const total = now();
const spent: FirstStep = { engine: started, model: made - started, step: total - made, total };
console.log(JSON.stringify(spent));
await closeEngine();
