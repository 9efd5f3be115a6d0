import * as tfjs from '@tensorflow/tfjs-core';
import { buildGraph } from '../src/engine/build-graph.js';
import { type Engine, matmul, Tensor, useEngine } from '../src/index.js';
import { interleaved, report, seconds } from './measure.js';

const size = 2048;
const shape = [size, size];

/** A product on an engine, of operands that it holds. */
async function productOn(engine: Engine): Promise<() => Promise<number>> {
  const inputs = [0, 1].map(() => new Tensor(shape, 'float32', { kind: 'input' })) as [Tensor, Tensor];
  const program = await engine.compile(buildGraph([matmul(...inputs)], inputs, () => ({ kind: 'constant' })).graph);
  const values = (seed: number) => Float32Array.from({ length: size * size }, (_, i) => Math.sin(i * 0.37 + seed));
  const operands = [engine.upload(values(0), shape, 'float32'), engine.upload(values(1), shape, 'float32')];
  return () =>
    seconds(async () => {
      for (const result of await engine.run(program, operands)) engine.free(result);
    });
}

const [onTfjs, onOrt] = [await useEngine('tfjs', { backend: 'wasm' }), await useEngine('ort')];
const [theirs, ours] = await interleaved(await productOn(onTfjs), await productOn(onOrt));
const ratio = theirs!.median / ours!.median;
const flops = 2 * size ** 3;
report('matmul-tfjs', ratio, '>= 8', ratio >= 8, {
  ratioOfBest: theirs!.best / ours!.best,
  gflops: flops / ours!.median / 1e9,
  tfjsGflops: flops / theirs!.median / 1e9,
  tfjsBackend: tfjs.getBackend(),
  tfjsSimd: await tfjs.env().getAsync('WASM_HAS_SIMD_SUPPORT'),
  tfjsThreads: await tfjs.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT'),
});
await Promise.all([onTfjs.close(), onOrt.close()]);
