import { availableParallelism } from 'node:os';
import { closeEngine } from '../src/index.js';
import { stepFlops, trainingStep } from './decoder-model.js';
import { interleaved, report } from './measure.js';
import { startPyTorch } from './pytorch.js';

const target = '>= 3';
const torch = await startPyTorch();
if (torch) {
  const [ours, theirs] = await interleaved(trainingStep(), () => torch.measure('step'));
  torch.close();
  const ratio = theirs.median / ours.median;
  report('decoder-step-pytorch', ratio, target, ratio >= 3, {
    ratioOfBest: theirs.best / ours.best,
    stepMilliseconds: ours.median * 1e3,
    stepGflops: stepFlops() / ours.median / 1e9,
    threads: availableParallelism(),
    torchStepMilliseconds: theirs.median * 1e3,
    torchStepGflops: stepFlops() / theirs.median / 1e9,
    ...torch.details,
  });
  await closeEngine();
} else {
  report('decoder-step-pytorch', undefined, target, null, { detail: 'python3-torch is not installed' });
}
