import { beforeAll, describe, expect, test } from 'vitest';
import { convert } from '../../../../src/dtype.js';
import { convolutionAsMatmul, transposedConvolutionAsMatmul } from '../../../../src/engine/cuda/codegen/convolution.js';
import type { Lowered, StoredNode } from '../../../../src/engine/cuda/codegen/lowered.js';
import { matmulProduct, productOfStep } from '../../../../src/engine/cuda/codegen/matmul.js';
import { unpackBnb4, unpackNBits } from '../../../../src/engine/cuda/codegen/quantized.js';
import type { MatmulStep } from '../../../../src/engine/cuda/compiler/program-plan.js';
import { startReferenceEngine } from '../../../../src/engine/reference/reference-engine.js';
import { decodeBnb4, decodeNBits } from '../../../../src/ops/quantized.js';
import type {
  Conv2dAttributes,
  ConvTranspose2dAttributes,
  MatmulBnb4Attributes,
  MatmulNBitsAttributes,
} from '../../../../src/primitives/attributes.js';
import type { Tensor } from '../../../../src/tensor.js';
import { cases } from '../../../primitives/cases/index.js';
import { expectClose, numbersOf } from '../../../support/close.js';
import { runOn } from '../../../support/engines.js';
import { type HostTensor, materialize, uniform } from '../../../support/host-tensor.js';
import { softwareDevice } from '../software-device/software-device.js';
import { type Kernels, openTestDevice } from '../software-device/test-device.js';
import { moreCases } from './cases.js';
import { type PrimitiveTrial, primitiveTrial } from './primitive-trial.js';
import { loadKernels, runLowered } from './run-lowered.js';

const built = await softwareDevice();
const reference = await startReferenceEngine();

/** Convolutions that are products, by the package's own products. */
const convolutions = (['conv2d', 'convTranspose2d'] as const).flatMap((name) =>
  [...cases[name], ...(moreCases[name] ?? [])].flatMap((each) => {
    const trial = primitiveTrial<typeof name>(each);
    const found =
      name === 'conv2d'
        ? convolutionAsMatmul(trial.node as StoredNode<Conv2dAttributes>)
        : transposedConvolutionAsMatmul(trial.node as StoredNode<ConvTranspose2dAttributes>);
    if (!found) return [];
    const { product, patches } = found;
    const { launches } = matmulProduct(product);
    const bound = launches.map((launch) => ({
      ...launch,
      roles: launch.roles.map((role) => (role === 0 ? 1 : role === 1 ? (patches ? 'temporary0' : 0) : role)),
    }));
    const lowered: Lowered = {
      launches: [...(patches ? [patches.launch] : []), ...bound],
      temporaries: patches ? [patches.memory] : [],
    };
    return [{ title: `${name} ${each.name}`, trial: trial as PrimitiveTrial<'conv2d'>, lowered }];
  }),
);

const step: MatmulStep = {
  kind: 'matmul',
  a: { value: 0, offset: 3, transpose: true, rowStride: 7, batchStride: 50 },
  b: { value: 1, offset: 2, transpose: false, rowStride: 5, batchStride: 0 },
  out: { value: 2, offset: 1, transpose: false, rowStride: 6, batchStride: 40 },
  m: 6,
  n: 4,
  k: 5,
  batch: 2,
  alpha: 0.5,
  bias: 3,
  residual: 4,
  activation: 'relu',
};

describe.skipIf('skipped' in built)('products', () => {
  const device = openTestDevice('folder' in built ? built.folder : '');
  const stepped = matmulProduct(productOfStep(step, (value) => (value === 1 ? 'bfloat16' : 'float32')));
  let kernels: Kernels;
  beforeAll(() => {
    kernels = loadKernels(device, [stepped, ...convolutions.map(({ lowered }) => lowered)]);
  });

  test('some convolutions are products as they are, some of laid out windows', () => {
    const launches = convolutions.map(({ lowered }) => lowered.launches.length);
    expect(launches).toContain(1);
    expect(launches).toContain(2);
  });

  test.each(convolutions)('$title as a product', ({ trial: { node, inputs, expected }, lowered }) => {
    const { outputs } = runLowered(device, kernels, { lowered, inputs, outputs: [node] });
    expectClose(outputs[0]!, expected);
  });

  test('of a step: strides, factor, bias, activation and residual', () => {
    const [a, plain, residual, bias] = materialize([uniform([100]), uniform([40]), uniform([80]), uniform([4])]) as [
      HostTensor,
      HostTensor,
      HostTensor,
      HostTensor,
    ];
    const b = {
      ...plain,
      dtype: 'bfloat16' as const,
      data: convert(plain.data as Float32Array, 'float32', 'bfloat16'),
    };
    const { outputs } = runLowered(device, kernels, {
      lowered: stepped,
      inputs: [a, b, bias, residual],
      outputs: [{ shape: [80], dtype: 'float32' }],
    });
    const [left, right, added, shift] = [a, b, residual, bias].map(numbersOf) as [
      number[],
      number[],
      number[],
      number[],
    ];
    const out = numbersOf(outputs[0]!);
    for (let batch = 0; batch < 2; batch++)
      for (let i = 0; i < 6; i++)
        for (let j = 0; j < 4; j++) {
          let sum = 0;
          for (let l = 0; l < 5; l++) sum += left[batch * 50 + 3 + l * 7 + i]! * right[2 + l * 5 + j]!;
          const at = batch * 40 + 1 + i * 6 + j;
          expect(out[at]).toBeCloseTo(Math.max(0, sum * 0.5 + shift[j]!) + added[at]!, 5);
        }
  });
});

describe.skipIf('skipped' in built)('packed weights are unpacked', () => {
  const device = openTestDevice('folder' in built ? built.folder : '');

  test.each(cases.matmulNBits.map((each) => [each.name, each] as const))('matmulNBits %s', async (_, each) => {
    const { node, inputs } = primitiveTrial<'matmulNBits'>(each);
    const { bits, blockSize } = node.attributes as MatmulNBitsAttributes;
    const columns = inputs[0]!.shape.at(-1)!;
    const lowered = unpackNBits(node, 'float32');
    const fn = (_x: Tensor, packed: Tensor, scales: Tensor, zeros?: Tensor) =>
      decodeNBits(packed, scales, zeros, { bits, blockSize, columns });
    await expectUnpacked(lowered, inputs, fn);
  });

  test.each(cases.matmulBnb4.map((each) => [each.name, each] as const))('matmulBnb4 %s', async (_, each) => {
    const { node, inputs } = primitiveTrial<'matmulBnb4'>(each);
    const { format, blockSize, outputs } = node.attributes as MatmulBnb4Attributes;
    const shape = [outputs, inputs[0]!.shape.at(-1)!] as const;
    const lowered = unpackBnb4(node, 'float32');
    await expectUnpacked(lowered, inputs, (_x: Tensor, packed: Tensor, absmax: Tensor) =>
      decodeBnb4(packed, absmax, { format, blockSize, shape }),
    );
  });

  async function expectUnpacked(
    lowered: Lowered,
    inputs: readonly HostTensor[],
    fn: (...inputs: [Tensor, Tensor, Tensor, Tensor?]) => Tensor,
  ): Promise<void> {
    const [expected] = await runOn(reference, fn, inputs);
    const { outputs } = runLowered(device, loadKernels(device, [lowered]), { lowered, inputs, outputs: [expected!] });
    expectClose(outputs[0]!, expected!);
  }
});
