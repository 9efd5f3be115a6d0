import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { DType } from '../../../../src/dtype.js';
import { argMax } from '../../../../src/engine/cuda/codegen/arg-max.js';
import { conv2d, convTranspose2d } from '../../../../src/engine/cuda/codegen/convolution.js';
import { updateSlice } from '../../../../src/engine/cuda/codegen/indexing.js';
import type { CudaLowering } from '../../../../src/engine/cuda/codegen/lowered.js';
import { matmul } from '../../../../src/engine/cuda/codegen/matmul.js';
import { matmulBnb4, matmulNBits } from '../../../../src/engine/cuda/codegen/quantized.js';
import { cumsum } from '../../../../src/engine/cuda/codegen/scan.js';
import { scatterAddRows } from '../../../../src/engine/cuda/codegen/scatter.js';
import { scatterAddAlongAxis } from '../../../../src/engine/cuda/codegen/scatter-lines.js';
import { topKIndices } from '../../../../src/engine/cuda/codegen/top-k.js';
import { transpose } from '../../../../src/engine/cuda/codegen/transpose.js';
import type { PrimitiveName } from '../../../../src/primitives/attributes.js';
import { cases as primitiveCases } from '../../../primitives/cases/index.js';
import type { Case } from '../../../support/case.js';
import { expectClose } from '../../../support/close.js';
import { softwareDevice } from '../software-device/software-device.js';
import { type Kernels, openTestDevice } from '../software-device/test-device.js';
import { moreCases } from './cases.js';
import { primitiveTrial } from './primitive-trial.js';
import { loadKernels, runLowered, threadOrders } from './run-lowered.js';

const lowerings = {
  updateSlice,
  transpose,
  cumsum,
  argMax,
  topKIndices,
  scatterAddRows,
  scatterAddAlongAxis,
  matmul,
  conv2d,
  convTranspose2d,
  matmulNBits,
  matmulBnb4,
} as const;

const built = await softwareDevice();

/** How many float32 values may be held. Integers and their indices stay as they are. */
const storages: readonly DType[] = ['float32', 'bfloat16', 'float16'];

describe.skipIf('skipped' in built).each(Object.keys(lowerings) as (keyof typeof lowerings)[])(
  'kernels of %s compute what the reference engine computes',
  (name) => {
    const lower = lowerings[name] as CudaLowering<PrimitiveName>;
    const cases: readonly Case[] = [...primitiveCases[name], ...(moreCases[name] ?? [])];
    const trials = cases.flatMap((each) =>
      storages
        .filter((storage) => storage === 'float32' || each.inputs.some(({ dtype }) => dtype === 'float32'))
        .map((storage) => {
          const trial = primitiveTrial<PrimitiveName>(each, storage);
          return { title: `${each.name}, held as ${storage}`, trial, lowered: lower(trial.node) };
        }),
    );
    const device = openTestDevice('folder' in built ? built.folder : '');
    let kernels: Kernels;

    beforeAll(() => {
      kernels = loadKernels(
        device,
        trials.map(({ lowered }) => lowered),
      );
    });
    afterEach(() => device.set('threadOrder', 0));

    test.each(trials)('$title', ({ trial: { node, inputs, expected }, lowered }) => {
      const before = name === 'updateSlice' ? { before: inputs[0]! } : {};
      let first: unknown;
      for (const order of threadOrders) {
        device.set('threadOrder', order);
        const { outputs, failure } = runLowered(device, kernels, {
          lowered,
          inputs,
          outputs: [{ shape: node.shape, dtype: node.dtype }],
          ...before,
        });
        expect([...failure]).toEqual([0, 0, 0, 0]);
        expectClose(outputs[0]!, expected);
        first ??= outputs[0]!.data;
        expect(outputs[0]!.data).toEqual(first);
      }
    });
  },
);
