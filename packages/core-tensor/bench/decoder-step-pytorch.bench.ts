import { availableParallelism } from 'node:os';
import { closeEngine } from '../src/index.js';
import { stepFlops, trainingStep } from './decoder-model.js';
import { interleaved, report } from './measure.js';
import { startPyTorch, startTunedPyTorch } from './pytorch.js';

const target = '>= 3';
const [tuned, installed] = [await startTunedPyTorch(), await startPyTorch({})];
if (tuned && installed) {
  const [ours, best, plain] = await interleaved(
    trainingStep(),
    () => tuned.step(),
    () => installed.step(),
  );
  for (const torch of [tuned, installed]) torch.close();
  const ratio = best!.median / ours!.median;
  const rate = (seconds: number) => stepFlops() / seconds / 1e9;
  report('decoder-step-pytorch', ratio, target, ratio >= 3, {
    ratioOfBest: best!.best / ours!.best,
    ratioToInstalled: plain!.median / ours!.median,
    stepMilliseconds: ours!.median * 1e3,
    stepGflops: rate(ours!.median),
    torchGflops: rate(best!.median),
    torchInstalledGflops: rate(plain!.median),
    threads: availableParallelism(),
    ...tuned.details,
    tuning: Object.entries(tuned.settings)
      .map(([name, value]) => `${name}=${value ?? ''}`)
      .join(' '),
    openblasCoreInstalled: process.env.OPENBLAS_CORETYPE ?? 'as detected',
  });
  await closeEngine();
} else {
  report('decoder-step-pytorch', undefined, target, null, { detail: 'python3-torch is not installed' });
}
