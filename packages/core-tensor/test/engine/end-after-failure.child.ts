import type { Worker } from 'node:worker_threads';
import { type Engine, tensor, useEngine } from '../../src/index.js';

/** Ends by itself, without closing the engine, after a failure while something was asked of it. */
const failures: Readonly<Record<string, (engine: Engine) => Promise<unknown>>> = {
  /** A request that does not reach the engine: what it holds was given to another thread. */
  async unsent(engine) {
    const data = Float32Array.of(1, 2);
    structuredClone(data, { transfer: [data.buffer] });
    await engine.compile({
      nodes: [{ kind: 'constant', data, shape: [2], dtype: 'float32' }],
      inputCount: 0,
      outputs: [0],
    });
  },
  /** A request that fails though nobody waits for its answer, which fails all that come after it. */
  async unanswered(engine) {
    const buffer = engine.upload(Float32Array.of(1, 2), [2], 'float32');
    const { worker } = engine as unknown as { readonly worker: Worker };
    worker.postMessage({ ticket: 0, request: { kind: 'upload', dtype: 'bfloat16' } });
    await engine.download(buffer);
  },
};

const engine = await useEngine('ort', { threads: 1 });
await tensor([1]).data();
await failures[process.argv[2]!]!(engine).catch(({ name }: Error) => console.log(name));
