import {
  closeEngine,
  compile,
  dispose,
  materialize,
  matmul,
  randomKey,
  randomUniform,
  streamKey,
  type Tensor,
  tensor,
} from '@ocelli/core-tensor';
import { interleaved, report, seconds } from '../../core-tensor/bench/measure.js';
import { decodePrograms } from '../src/generation/programs.js';
import { benchLlama } from './bench-llama.js';

/** Reading a prompt of 1,024 tokens: floating-point operations per second over those of a product of 2048³. */
const tokens = 1024;
const size = 2048;
const model = benchLlama();
const { prefill } = decodePrograms(model);
const prompt = tensor(
  Int32Array.from({ length: tokens }, (_, i) => (i * 7919) % model.config.vocabSize),
  [1, tokens],
);
const operands = [0, 1].map((seed) => randomUniform(streamKey(randomKey(seed)), [size, size])) as [Tensor, Tensor];
await materialize(operands);
const product = compile((a: Tensor, b: Tensor) => matmul(a, b));

/** Products of the layers with their weights, scores and mixtures of all pairs of tokens, and the head for one token. */
function prefillFlops(): number {
  const { hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, numKeyValueHeads, headDim, vocabSize } =
    model.config;
  const projections = 2 * (numAttentionHeads + numKeyValueHeads) * headDim * hiddenSize;
  const weights = numHiddenLayers * (projections + 3 * hiddenSize * intermediateSize);
  const pairs = numHiddenLayers * 2 * numAttentionHeads * headDim * tokens ** 2;
  return 2 * (tokens * weights + pairs + hiddenSize * vocabSize);
}

const [reading, matrixProduct] = await interleaved(
  () =>
    seconds(async () => {
      const { logits, cache } = await prefill({ inputIds: prompt }, tokens);
      dispose([logits, ...cache.keys, ...cache.values]);
    }),
  () => seconds(async () => dispose([await product(...operands)])),
);
const [flops, productFlops] = [prefillFlops(), 2 * size ** 3];
const ratio = flops / reading!.median / (productFlops / matrixProduct!.median);
report('prefill', ratio, '>= 0.7', ratio >= 0.7, {
  ratioOfBest: flops / reading!.best / (productFlops / matrixProduct!.best),
  milliseconds: reading!.median * 1e3,
  gflops: flops / reading!.median / 1e9,
  matmulGflops: productFlops / matrixProduct!.median / 1e9,
});
await closeEngine();
