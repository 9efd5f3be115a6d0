import { describe, expect, test } from 'vitest';
import { updateSlice } from '../../../../src/engine/cuda/codegen/indexing.js';
import type { Lowered } from '../../../../src/engine/cuda/codegen/lowered.js';
import { scatterAddRows } from '../../../../src/engine/cuda/codegen/scatter.js';
import { scatterAddAlongAxis } from '../../../../src/engine/cuda/codegen/scatter-lines.js';
import type { HostTensor } from '../../../support/host-tensor.js';
import { softwareDevice } from '../software-device/software-device.js';
import { openTestDevice } from '../software-device/test-device.js';
import { loadKernels, runLowered, type Trial } from './run-lowered.js';

const built = await softwareDevice();

const floats = (shape: readonly number[], first = 1): HostTensor => ({
  shape,
  dtype: 'float32',
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => first + i),
});
const int32 = (...values: number[]): HostTensor => ({
  shape: [values.length],
  dtype: 'int32',
  data: Int32Array.from(values),
});
const dtype = 'float32';

/** Launches whose indices leave the axis, what they note, and what is left where nothing could be written. */
const trials: readonly (Trial & { readonly title: string; readonly noted: number[]; readonly kept: unknown })[] =
  (() => {
    const trial = (
      title: string,
      lower: (inputs: readonly HostTensor[]) => Lowered,
      inputs: readonly HostTensor[],
      shape: readonly number[],
      noted: number[],
      kept: unknown,
    ) => ({ title, lowered: lower(inputs), inputs, outputs: [{ shape, dtype } as const], noted, kept });
    const many = Array.from({ length: 100 }, (_, i) => (i === 70 ? 5 : i % 3));
    return [
      trial(
        'scatterAddRows of few',
        (inputs) => scatterAddRows({ inputs, shape: [2], dtype, attributes: { rows: 2 } }),
        [int32(0, 2, 1), floats([3])],
        [2],
        [1, 2, 2, 0],
        [1, 3],
      ),
      trial(
        'scatterAddRows of many',
        (inputs) => scatterAddRows({ inputs, shape: [3], dtype, attributes: { rows: 3 } }),
        [int32(...many), floats([100])],
        [3],
        [1, 5, 3, 0],
        [0, 1, 2].map((row) => many.reduce((sum, place, i) => sum + (place === row ? i + 1 : 0), 0)),
      ),
      trial(
        'scatterAddAlongAxis',
        (inputs) => scatterAddAlongAxis({ inputs, shape: [2], dtype, attributes: { axis: 0, size: 2 } }),
        [int32(1, 9), floats([2])],
        [2],
        [1, 9, 2, 0],
        [0, 1],
      ),
      {
        ...trial(
          'updateSlice',
          (inputs) => updateSlice({ inputs, shape: [5], dtype, attributes: { axis: 0 } }),
          [floats([5]), floats([2], 50), int32(4)],
          [5],
          [3, 4, 5, 2],
          [1, 2, 3, 4, 5],
        ),
        before: floats([5]),
      },
    ];
  })();

describe.skipIf('skipped' in built)('what is out of range is noted, and neither read nor written', () => {
  const device = openTestDevice('folder' in built ? built.folder : '');

  test('in every kernel that takes indices', () => {
    const kernels = loadKernels(
      device,
      trials.map(({ lowered }) => lowered),
    );
    for (const { title, noted, kept, ...trial } of trials) {
      const { outputs, failure } = runLowered(device, kernels, trial);
      expect([...failure], title).toEqual(noted);
      expect([...(outputs[0]!.data as Float32Array)], title).toEqual(kept);
    }
  });
});
