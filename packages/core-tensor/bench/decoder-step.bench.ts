import { closeEngine, compile, currentEngine, matmul, randomUniform, streamKey, randomKey, materialize, type Tensor, tensor, valueAndGrad } from '../src/index.js';
import { Decoder, decoderSize, stepFlops } from './decoder-model.js';
import { interleaved, report } from './measure.js';

const { batch, tokens, vocabulary } = decoderSize;
const ids = tensor(Int32Array.from({ length: batch * tokens }, (_, i) => (i * 7919) % vocabulary), [batch, tokens]);
const targets = tensor(Int32Array.from({ length: batch * tokens }, (_, i) => (i * 104729) % vocabulary), [batch, tokens]);
const model = new Decoder();
const step = compile((x: Tensor, y: Tensor) => valueAndGrad(() => model.loss(x, y), model.trainableParameters()));
const product = compile((a: Tensor, b: Tensor) => matmul(a, b));

const size = 2048;
const [a, b] = [0, 1].map((seed) => randomUniform(streamKey(randomKey(seed)), [size, size])) as [Tensor, Tensor];
await materialize([a, b]);
const engine = await currentEngine();
const free = (tensors: readonly Tensor[]) => {
  for (const { source } of tensors) if (source.kind === 'device') engine.free(source.buffer);
};

const [stepSeconds, productSeconds] = await interleaved(
  async () => {
    const { value, grads } = await step(ids, targets);
    free([value, ...Object.values(grads)]);
  },
  async () => free([await product(a, b)]),
);
const stepRate = stepFlops() / stepSeconds;
const productRate = (2 * size ** 3) / productSeconds;
report('decoder-step', stepRate / productRate, '>= 0.65', stepRate / productRate >= 0.65, {
  stepMilliseconds: stepSeconds * 1e3,
  stepGflops: stepRate / 1e9,
  matmulGflops: productRate / 1e9,
});
await closeEngine();
