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
} from '../src/index.js';
import { stepFlops, trainingStep } from './decoder-model.js';
import { interleaved, report, seconds } from './measure.js';

const size = 2048;
const operands = [0, 1].map((seed) => randomUniform(streamKey(randomKey(seed)), [size, size])) as [Tensor, Tensor];
await materialize(operands);
const product = compile((a: Tensor, b: Tensor) => matmul(a, b));

const [step, matrixProduct] = await interleaved(trainingStep(), () =>
  seconds(async () => dispose([await product(...operands)])),
);
const [stepFlop, productFlop] = [stepFlops(), 2 * size ** 3];
const ratio = stepFlop / step!.median / (productFlop / matrixProduct!.median);
report('decoder-step', ratio, '>= 0.65', ratio >= 0.65, {
  ratioOfBest: stepFlop / step!.best / (productFlop / matrixProduct!.best),
  stepMilliseconds: step!.median * 1e3,
  stepGflops: stepFlop / step!.median / 1e9,
  matmulGflops: productFlop / matrixProduct!.median / 1e9,
});
await closeEngine();
