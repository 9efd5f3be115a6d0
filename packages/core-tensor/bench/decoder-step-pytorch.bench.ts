import { availableParallelism } from 'node:os';
import { closeEngine, compile, dispose, type Tensor, tensor, valueAndGrad } from '../src/index.js';
import { Decoder, decoderSize, stepFlops } from './decoder-model.js';
import { median, report, seconds } from './measure.js';
import { startPyTorch } from './pytorch.js';

const target = '>= 3';
const torch = await startPyTorch();
if (!torch) {
  report('decoder-step-pytorch', undefined, target, null, { detail: 'python3-torch is not installed' });
} else {
  const { batch, tokens, vocabulary } = decoderSize;
  const random = () => tensor(Int32Array.from({ length: batch * tokens }, () => Math.floor(Math.random() * vocabulary)), [batch, tokens]);
  const [ids, targets] = [random(), random()];
  const model = new Decoder();
  const step = compile((x: Tensor, y: Tensor) => valueAndGrad(() => model.loss(x, y), model.trainableParameters()));
  const ours = async () => {
    const { value, grads } = await step(ids, targets);
    dispose([value, ...Object.values(grads)]);
  };
  await ours();
  await torch.measure('step');
  const [ourTimes, theirTimes]: [number[], number[]] = [[], []];
  for (let round = 0; round < 7; round++) {
    ourTimes.push(await seconds(ours));
    theirTimes.push(await torch.measure('step'));
  }
  torch.close();
  const ratio = median(theirTimes) / median(ourTimes);
  report('decoder-step-pytorch', ratio, target, ratio >= 3, {
    stepMilliseconds: median(ourTimes) * 1e3,
    stepGflops: stepFlops() / median(ourTimes) / 1e9,
    threads: availableParallelism(),
    torchStepMilliseconds: median(theirTimes) * 1e3,
    torchStepGflops: stepFlops() / median(theirTimes) / 1e9,
    ...torch.details,
  });
  await closeEngine();
}
