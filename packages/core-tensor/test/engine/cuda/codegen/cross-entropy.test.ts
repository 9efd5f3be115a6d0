import { beforeAll, describe, expect, test } from 'vitest';
import { convert } from '../../../../src/dtype.js';
import {
  type CrossEntropy,
  crossEntropyBackward,
  crossEntropyForward,
} from '../../../../src/engine/cuda/codegen/cross-entropy.js';
import { startReferenceEngine } from '../../../../src/engine/reference/reference-engine.js';
import { crossEntropy } from '../../../../src/ops/losses.js';
import type { Tensor } from '../../../../src/tensor.js';
import { gradientOf } from '../../../support/central-differences.js';
import { expectClose } from '../../../support/close.js';
import { runOn } from '../../../support/engines.js';
import { given, type HostTensor, materialize, uniform } from '../../../support/host-tensor.js';
import { softwareDevice } from '../software-device/software-device.js';
import { type Kernels, openTestDevice } from '../software-device/test-device.js';
import { stored } from './primitive-trial.js';
import { loadKernels, runLowered } from './run-lowered.js';

const built = await softwareDevice();
const reference = await startReferenceEngine();

const rows = 5;

const trials = (['float32', 'bfloat16', 'float16'] as const).flatMap((logits) =>
  [
    { classes: 4100, labelSmoothing: 0, perRow: true },
    { classes: 4104, labelSmoothing: 0.1, perRow: true },
    { classes: 37, labelSmoothing: 0.2, perRow: false },
  ].map(({ classes, labelSmoothing, perRow }) => {
    const labels = classes === 37 ? 'int64' : 'int32';
    const problem: CrossEntropy = { rows, classes, logits, labels, ignoreIndex: -100, labelSmoothing };
    return {
      title: `${classes} classes, smoothing ${labelSmoothing}, ${logits}`,
      problem,
      perRow,
      forward: crossEntropyForward(problem),
      backward: crossEntropyBackward(problem, { dtype: 'float32', perRow }),
    };
  }),
);

describe.skipIf('skipped' in built)('fused cross-entropy is the composed one', () => {
  const device = openTestDevice('folder' in built ? built.folder : '');
  let kernels: Kernels;
  beforeAll(() => {
    kernels = loadKernels(
      device,
      trials.flatMap(({ forward, backward }) => [forward, backward]),
    );
  });

  test.each(trials)('$title', async ({ problem, perRow, forward, backward }) => {
    const { classes, logits: dtype, labels: labelDtype, labelSmoothing } = problem;
    const [plain, labels, weights] = materialize([
      uniform([rows, classes], { low: -9, high: 9 }),
      given([rows], [3, classes - 1, -100, 0, 17], labelDtype),
      given([rows], perRow ? [0.3, -1, 2, 0.5, 0.7] : [0.4, 0.4, 0.4, 0.4, 0.4]),
    ]) as [HostTensor, HostTensor, HostTensor];
    const logits = stored(plain, dtype);
    const exact: HostTensor =
      dtype === 'float32'
        ? logits
        : { ...logits, dtype: 'float32', data: convert(logits.data as Uint16Array, dtype, 'float32') };
    const fn = (x: Tensor, y: Tensor) => crossEntropy(x, y, { labelSmoothing, reduction: 'none' });
    const [expected] = await runOn(reference, fn, [exact, labels]);
    const [gradient] = await runOn(reference, gradientOf(fn, 2, [0]), [exact, labels, weights]);

    const { outputs, failure } = runLowered(device, kernels, {
      lowered: forward,
      inputs: [logits, labels],
      outputs: [
        { shape: [rows], dtype: 'float32' },
        { shape: [rows], dtype: 'float32' },
      ],
    });
    expect([...failure]).toEqual([0, 0, 0, 0]);
    expectClose(outputs[0]!, expected!);
    const upstream: HostTensor = perRow ? weights : { ...weights, shape: [], data: weights.data.slice(0, 1) };
    const back = runLowered(device, kernels, {
      lowered: backward,
      inputs: [logits, labels, outputs[1]!, upstream],
      outputs: [{ shape: [rows, classes], dtype }],
    });
    expectClose(back.outputs[0]!, stored(gradient!, dtype), { relative: dtype === 'float32' ? 1e-5 : 8e-3 });
  });

  test('a label that is no class is noted', () => {
    const { forward, problem } = trials[0]!;
    const [logits, labels] = materialize([
      uniform([rows, problem.classes]),
      given([rows], [1, -7, 0, 2, 3], 'int32'),
    ]) as [HostTensor, HostTensor];
    const { outputs, failure } = runLowered(device, kernels, {
      lowered: forward,
      inputs: [logits, labels],
      outputs: [
        { shape: [rows], dtype: 'float32' },
        { shape: [rows], dtype: 'float32' },
      ],
    });
    expect([...failure]).toEqual([1, -7, problem.classes, 0]);
    expect(outputs[0]!.data[1]).toBe(0);
  });
});
