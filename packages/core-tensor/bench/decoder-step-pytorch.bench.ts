import { availableParallelism } from 'node:os';
import { closeEngine } from '../src/index.js';
import { stepFlops, trainingStep } from './decoder-model.js';
import { interleaved, report } from './measure.js';
import { startPyTorch, startTunedPyTorch } from './pytorch.js';

const target = '>= 3 against PyTorch as it is installed, with a thread per core';
const [installed, tuned] = [await startPyTorch({}), await startTunedPyTorch()];
if (installed && tuned) {
  const [ours, plain, best] = await interleaved(
    trainingStep(),
    () => installed.step(),
    () => tuned.step(),
  );
  for (const torch of [installed, tuned]) torch.close();
  const ratio = plain!.median / ours!.median;
  const rate = (seconds: number) => stepFlops() / seconds / 1e9;
  report('decoder-step-pytorch', ratio, target, ratio >= 3, {
    ratioOfBest: plain!.best / ours!.best,
    ratioToTuned: best!.median / ours!.median,
    stepMilliseconds: ours!.median * 1e3,
    stepGflops: rate(ours!.median),
    torchGflops: rate(plain!.median),
    torchTunedGflops: rate(best!.median),
    threads: availableParallelism(),
    ...installed.details,
    openblasCore: process.env.OPENBLAS_CORETYPE ?? 'as detected',
    tuning: Object.entries(tuned.settings)
      .map(([name, value]) => `${name}=${value ?? ''}`)
      .join(' '),
  });
  await closeEngine();
} else {
  report('decoder-step-pytorch', undefined, target, null, { detail: 'python3-torch is not installed' });
}
