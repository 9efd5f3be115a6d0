import { describe, expect, test } from 'vitest';
import {
  type AttentionProblem,
  attentionBackward,
  attentionDecode,
  attentionForward,
} from '../../../../src/engine/cuda/codegen/attention.js';
import { crossEntropyBackward, crossEntropyForward } from '../../../../src/engine/cuda/codegen/cross-entropy.js';
import type { Lowered } from '../../../../src/engine/cuda/codegen/lowered.js';
import { lowerOpaque } from '../../../../src/engine/cuda/codegen/lowerings.js';
import { matmul } from '../../../../src/engine/cuda/codegen/matmul.js';
import type { PrimitiveName } from '../../../../src/primitives/attributes.js';
import { cases } from '../../../primitives/cases/index.js';
import { compileWithNvcc, nvccVersion } from '../software-device/nvcc.js';
import { moreCases } from './cases.js';
import { primitiveTrial } from './primitive-trial.js';

/** Attention of the decoders and encoders that are trained. */
const decoder: AttentionProblem = {
  batch: 8,
  heads: 14,
  keyHeads: 2,
  queries: 1024,
  keys: 1024,
  width: 64,
  dtype: 'bfloat16',
  scale: 0.125,
  causal: true,
};
const encoder: AttentionProblem = { ...decoder, heads: 16, keyHeads: 16, queries: 577, keys: 577, causal: false };
const wide: AttentionProblem = { ...decoder, heads: 16, keyHeads: 4, width: 128, dtype: 'float16' };
const logits = {
  rows: 8192,
  classes: 151_936,
  logits: 'bfloat16',
  labels: 'int32',
  ignoreIndex: -100,
  labelSmoothing: 0.1,
} as const;

/** Launches whose registers decide how fast they are. */
const fast: readonly Lowered[] = [
  ...[decoder, encoder, wide].flatMap((problem) => [attentionForward(problem), attentionBackward(problem)]),
  attentionDecode({ ...decoder, batch: 1, queries: 1 }, { dtype: 'int32', offset: 1 }),
  crossEntropyForward(logits),
  crossEntropyBackward(logits, { dtype: 'float32', perRow: true }),
];

const opaque = [
  'argMax',
  'topKIndices',
  'cumsum',
  'conv2d',
  'convTranspose2d',
  'matmulNBits',
  'matmulBnb4',
  'scatterAddRows',
  'scatterAddAlongAxis',
  'updateSlice',
] as const satisfies readonly PrimitiveName[];

describe.skipIf((await nvccVersion()) === undefined)('kernels compiled for cards', () => {
  const kernelsOf = (lowered: readonly Lowered[]) => [
    ...new Map(
      lowered.flatMap(({ launches }) => launches.map(({ kernel }) => [kernel.name, kernel] as const)),
    ).values(),
  ];

  test('of attention and cross-entropy keep everything in registers', async () => {
    const resources = await compileWithNvcc(kernelsOf(fast), ['sm_80', 'sm_90']);
    expect(resources.length).toBeGreaterThan(20);
    // A register or two more than there are is nothing; sums in memory would be a hundred.
    for (const { name, spillLoadBytes } of resources) expect(spillLoadBytes, name).toBeLessThanOrEqual(16);
  });

  test('of primitives compile without a warning', async () => {
    const lowered = opaque.flatMap((name) => {
      // The first case and those of other sizes take all the ways there are.
      const some = [cases[name][0]!, ...(moreCases[name] ?? [])];
      return some.flatMap((each) =>
        (['float32', 'bfloat16'] as const).map((storage) =>
          lowerOpaque(name, primitiveTrial<PrimitiveName>(each, storage).node),
        ),
      );
    });
    const products = (moreCases.matmul ?? []).map((each) => matmul(primitiveTrial<'matmul'>(each, 'bfloat16').node));
    const resources = await compileWithNvcc(kernelsOf([...lowered, ...products]), ['sm_90']);
    expect(resources.length).toBeGreaterThan(30);
  });
});
