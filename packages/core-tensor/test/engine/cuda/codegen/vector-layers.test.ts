import { beforeAll, describe, expect, test } from 'vitest';
import type { DType } from '../../../../src/dtype.js';
import { type VectorLayers, vectorLayers } from '../../../../src/engine/cuda/codegen/vector-layers.js';
import { startReferenceEngine } from '../../../../src/engine/reference/reference-engine.js';
import { silu } from '../../../../src/ops/activations.js';
import { add, mul } from '../../../../src/ops/arithmetic.js';
import { linear } from '../../../../src/ops/linear.js';
import { rmsNorm } from '../../../../src/ops/normalization.js';
import type { Tensor } from '../../../../src/tensor.js';
import { expectClose } from '../../../support/close.js';
import { runOn } from '../../../support/engines.js';
import { type HostTensor, materialize, uniform } from '../../../support/host-tensor.js';
import { softwareDevice } from '../software-device/software-device.js';
import { type Kernels, openTestDevice } from '../software-device/test-device.js';
import { asFloats, stored } from './primitive-trial.js';
import { loadKernels, runLowered } from './run-lowered.js';

const built = await softwareDevice();
const reference = await startReferenceEngine();
const epsilon = 1e-5;

const trials = (['float32', 'bfloat16'] as const).flatMap((weight) => {
  const layer = { weight, out: weight };
  const problems: readonly (VectorLayers & { readonly name: string })[] = [
    {
      name: 'three layers with biases behind a norm',
      rows: 1,
      width: 320,
      dtype: weight,
      norm: { weight, epsilon },
      layers: [
        { ...layer, outputs: 9, bias: weight },
        { ...layer, outputs: 4, bias: weight },
        { ...layer, outputs: 3, out: 'float32' },
      ],
    },
    {
      name: 'a gated layer of several rows behind a norm',
      rows: 3,
      width: 64,
      dtype: 'float32',
      norm: { weight, epsilon },
      layers: [{ ...layer, outputs: 7, gated: true }],
    },
    {
      name: 'a gated layer with biases and a sum',
      rows: 2,
      width: 40,
      dtype: weight,
      layers: [{ ...layer, outputs: 6, gated: true, bias: 'float32', residual: 'float32', out: 'float32' }],
    },
    {
      name: 'a layer and a sum',
      rows: 2,
      width: 72,
      dtype: weight,
      layers: [{ ...layer, outputs: 5, residual: weight }],
    },
  ];
  return problems.map((problem) => ({ title: `${problem.name}, ${weight}`, problem, lowered: vectorLayers(problem) }));
});

/** Shapes and storages of the inputs, in their order. */
function inputsOf({ rows, width, dtype, norm, layers }: VectorLayers): { shape: number[]; dtype: DType }[] {
  const given = (shape: number[], held: DType | undefined) => (held ? [{ shape, dtype: held }] : []);
  return [
    { shape: [rows, width], dtype },
    ...given([width], norm?.weight),
    ...layers.flatMap(({ outputs, weight, bias, gated, residual }) => [
      ...given([outputs, width], weight),
      ...(gated ? given([outputs, width], weight) : []),
      ...given([outputs], bias),
      ...(gated ? given([outputs], bias) : []),
      ...given([rows, outputs], residual),
    ]),
  ];
}

function composed({ norm, layers }: VectorLayers) {
  return (...inputs: Tensor[]): Tensor[] => {
    const next = () => inputs.shift()!;
    let x = next();
    if (norm) x = rmsNorm(x, next(), { epsilon });
    return layers.map(({ bias, gated, residual }) => {
      const weight = next();
      const second = gated ? next() : undefined;
      let value = linear(x, weight, bias ? next() : undefined);
      if (second) value = mul(silu(value), linear(x, second, bias ? next() : undefined));
      return residual ? add(value, next()) : value;
    });
  };
}

describe.skipIf('skipped' in built)('layers of few rows in one launch are the composed ones', () => {
  const device = openTestDevice('folder' in built ? built.folder : '');
  let kernels: Kernels;
  beforeAll(() => {
    kernels = loadKernels(
      device,
      trials.map(({ lowered }) => lowered),
    );
  });

  test.each(trials)('$title', async ({ problem, lowered }) => {
    const specs = inputsOf(problem);
    const inputs: HostTensor[] = materialize(specs.map(({ shape }) => uniform(shape))).map((host, index) =>
      stored(host, specs[index]!.dtype),
    );
    const expected = await runOn(reference, composed(problem), inputs.map(asFloats));
    const { outputs } = runLowered(device, kernels, {
      lowered,
      inputs,
      outputs: problem.layers.map(({ outputs: count, out }) => ({ shape: [problem.rows, count], dtype: out })),
    });
    expect(lowered.launches).toHaveLength(1);
    outputs.forEach((output, index) => {
      expectClose(output, stored(expected[index]!, output.dtype));
    });
  });
});
