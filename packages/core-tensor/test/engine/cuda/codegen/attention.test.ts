import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type AttentionProblem,
  attentionBackward,
  attentionForward,
} from '../../../../src/engine/cuda/codegen/attention.js';
import { startReferenceEngine } from '../../../../src/engine/reference/reference-engine.js';
import { add, mul, sub } from '../../../../src/ops/arithmetic.js';
import { where } from '../../../../src/ops/compare.js';
import { stopGradient } from '../../../../src/ops/gradient-control.js';
import { matmul } from '../../../../src/ops/matmul.js';
import { repeatInterleave } from '../../../../src/ops/rearrange.js';
import { softmax } from '../../../../src/ops/softmax.js';
import { type Tensor, tensor } from '../../../../src/tensor.js';
import { cotangentsOf, gradientOf } from '../../../support/central-differences.js';
import { expectClose } from '../../../support/close.js';
import { runOn } from '../../../support/engines.js';
import { type HostTensor, type InputSpec, materialize, uniform } from '../../../support/host-tensor.js';
import { softwareDevice } from '../software-device/software-device.js';
import { type Kernels, openTestDevice } from '../software-device/test-device.js';
import { asFloats, stored } from './primitive-trial.js';
import { gathered, laidOut, productLayouts } from './row-layouts.js';
import { loadKernels, runLowered, threadOrders } from './run-lowered.js';

const built = await softwareDevice();
const reference = await startReferenceEngine();

interface AttentionCase {
  readonly name: string;
  readonly sizes: Omit<AttentionProblem, 'dtype' | 'scale' | 'mask' | 'bias'>;
  /** Shapes that broadcast to the scores. */
  readonly mask?: readonly number[];
  readonly maskDtype?: 'bool' | 'float32';
  readonly bias?: readonly number[];
  /** Whether rows lie as [batch, rows, heads, width], all but keys' among other things. */
  readonly asProducts?: boolean;
  /** Rows [batch, query] that the mask lets see nothing. */
  readonly blind?: readonly (readonly [number, number])[];
}

const sizes = { batch: 1, heads: 2, keyHeads: 2, queries: 20, keys: 40, width: 16, causal: false } as const;

const cases: readonly AttentionCase[] = [
  { name: 'of all keys', sizes },
  { name: 'causal, in several tiles', sizes: { ...sizes, queries: 100, keys: 150, causal: true } },
  { name: 'causal, with more queries than keys', sizes: { ...sizes, queries: 70, keys: 40, causal: true } },
  { name: 'of grouped queries', sizes: { ...sizes, batch: 2, heads: 4, width: 24, causal: true } },
  { name: 'of wide heads', sizes: { ...sizes, heads: 1, keyHeads: 1, width: 80, queries: 70 } },
  { name: 'of the widest heads', sizes: { ...sizes, heads: 1, keyHeads: 1, width: 136, queries: 17 } },
  { name: 'of odd widths', sizes: { ...sizes, width: 10 } },
  {
    name: 'with a mask of keys',
    sizes: { ...sizes, batch: 2, keys: 70 },
    mask: [2, 1, 1, 70],
    maskDtype: 'bool',
    blind: [[1, 0]],
  },
  {
    name: 'causal, with a mask of rows that see nothing',
    sizes: { ...sizes, queries: 80, keys: 80, causal: true },
    mask: [1, 1, 80, 80],
    maskDtype: 'bool',
    blind: [
      [0, 0],
      [0, 3],
      [0, 70],
    ],
  },
  {
    name: 'of rows as products leave them',
    sizes: { ...sizes, batch: 2, heads: 4, queries: 70, keys: 70 },
    asProducts: true,
  },
  {
    name: 'of few queries to many keys, with a mask',
    sizes: { ...sizes, batch: 2, heads: 4, queries: 2, keys: 300, width: 64, causal: true },
    mask: [2, 1, 1, 300],
    maskDtype: 'bool',
    blind: [[1, 0]],
  },
  { name: 'with an added mask', sizes, mask: [1, 2, 20, 40], maskDtype: 'float32' },
  { name: 'with a bias and a mask', sizes, bias: [2, 20, 40], mask: [40], maskDtype: 'bool' },
];

const dtypes = ['float32', 'bfloat16', 'float16'] as const;
const tolerances = { float32: 1e-5, bfloat16: 2e-2, float16: 3e-3 } as const;

/** Strides of a shape broadcast to four axes. */
function stretched(shape: readonly number[]): [number, number, number, number] {
  const strides: number[] = [];
  let stride = 1;
  for (let axis = 3; axis >= 0; axis--) {
    const size = shape.at(axis - 4) ?? 1;
    strides[axis] = size === 1 ? 0 : stride;
    stride *= size;
  }
  return strides as [number, number, number, number];
}

function inputsOf({ sizes: each, mask, maskDtype, bias, blind = [] }: AttentionCase): InputSpec[] {
  const { batch, heads, keyHeads, queries, keys, width } = each;
  const q = uniform([batch, heads, queries, width]);
  const cache = uniform([batch, keyHeads, keys, width]);
  const seen = (index: number, random: number) => {
    const perQuery = mask?.at(-2) === queries ? queries : 1;
    const row = Math.floor(index / keys);
    const [ofBatch, query] = [Math.floor(row / perQuery), row % perQuery];
    return blind.some(([b, i]) => b === ofBatch && i === query) ? 0 : Number(random < 0.7);
  };
  return [
    q,
    cache,
    cache,
    ...(mask
      ? [
          maskDtype === 'bool'
            ? {
                shape: mask,
                dtype: 'bool' as const,
                element: (i: number, _: number, random: number) => seen(i, random),
              }
            : uniform(mask),
        ]
      : []),
    ...(bias ? [uniform(bias)] : []),
  ];
}

/**
 * Attention as ops/attention.ts composes it, with float32's −10⁹ + score = −10⁹: what is hidden by its place has that value
 * and its score's gradient, what a mask of bools hides has no gradient.
 */
function composed({ sizes: { causal, queries, keys, heads, keyHeads, width }, mask, maskDtype, bias }: AttentionCase) {
  return (q: Tensor, k: Tensor, v: Tensor, ...terms: Tensor[]) => {
    const repeated = (x: Tensor) => repeatInterleave(x, heads / keyHeads, 1);
    let scores = mul(matmul(q, repeated(k), { transposeB: true }), 1 / Math.sqrt(width));
    if (bias) scores = add(scores, terms.at(-1)!);
    if (causal) {
      const seen = tensor(
        Uint8Array.from({ length: queries * keys }, (_, i) =>
          Number((i % keys) - Math.floor(i / keys) <= keys - queries),
        ),
        [queries, keys],
        'bool',
      );
      scores = where(seen, scores, add(sub(scores, stopGradient(scores)), -1e9));
    }
    if (mask) scores = maskDtype === 'bool' ? where(terms[0]!, scores, -1e9) : add(scores, terms[0]!);
    return matmul(softmax(scores, -1), repeated(v));
  };
}

const trials = cases.flatMap((each) =>
  dtypes.map((dtype) => {
    const { width } = each.sizes;
    const problem: AttentionProblem = {
      ...each.sizes,
      dtype,
      scale: 1 / Math.sqrt(width),
      ...(each.asProducts && { layouts: productLayouts(each.sizes) }),
      ...(each.mask && { mask: { dtype: each.maskDtype!, strides: stretched(each.mask) } }),
      ...(each.bias && { bias: { dtype: 'float32' as const, strides: stretched(each.bias) } }),
    };
    const inputs = materialize(inputsOf(each)).map((host, index) => (index < 3 ? stored(host, dtype) : host));
    return {
      title: `${each.name}, ${dtype}`,
      each,
      dtype,
      problem,
      inputs,
      forward: attentionForward(problem),
      backward: attentionBackward(problem),
    };
  }),
);

describe.skipIf('skipped' in built)('attention in tiles is the composed one', () => {
  const device = openTestDevice('folder' in built ? built.folder : '');
  let kernels: Kernels;
  beforeAll(() => {
    kernels = loadKernels(
      device,
      trials.flatMap(({ forward, backward }) => [forward, backward]),
    );
  });
  afterEach(() => device.set('threadOrder', 0));

  test.each(trials)('$title', async ({ each, dtype, problem, inputs, forward, backward }) => {
    const { batch, heads, queries } = problem;
    const fn = composed(each);
    const floats = inputs.map(asFloats);
    const [expected] = await runOn(reference, fn, floats);
    const [cotangent] = cotangentsOf([expected!]);
    const rounded = stored(cotangent!, dtype);
    const gradients = await runOn(reference, gradientOf(fn, floats.length, [0, 1, 2]), [...floats, asFloats(rounded)]);

    const { layouts = {} } = problem;
    const shapes = inputs.map(({ shape }) => shape);
    const [q, k, v] = (['q', 'k', 'v'] as const).map((name, i) => laidOut(inputs[i]!, layouts[name])) as [
      HostTensor,
      HostTensor,
      HostTensor,
    ];
    const terms = inputs.slice(3);
    const change = laidOut(rounded, layouts.out);
    const relative = tolerances[dtype];
    let first: unknown;
    for (const order of threadOrders) {
      device.set('threadOrder', order);
      const { outputs } = runLowered(device, kernels, {
        lowered: forward,
        inputs: [q, k, v, ...terms],
        outputs: [
          { shape: change.shape, dtype },
          { shape: [batch, heads, queries, 2], dtype: 'float32' },
        ],
      });
      const [out, statistics] = outputs as [HostTensor, HostTensor];
      expectClose(asFloats(gathered(out, expected!.shape, layouts.out)), expected!, { relative, what: 'result' });
      const back = runLowered(device, kernels, {
        lowered: backward,
        inputs: [q, k, v, out, change, statistics, ...terms],
        outputs: [q, k, v].map(({ shape }) => ({ shape, dtype })),
      });
      back.outputs.forEach((gradient, index) => {
        const dense = gathered(gradient, shapes[index]!, layouts[(['q', 'k', 'v'] as const)[index]!]);
        expectClose(asFloats(dense), gradients[index]!, { relative, what: `gradient of ${'qkv'[index]}` });
      });
      const bits = [out, ...back.outputs].map(({ data }) => data);
      first ??= bits;
      expect(bits).toEqual(first);
    }
  });
});
