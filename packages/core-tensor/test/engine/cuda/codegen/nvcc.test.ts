import { describe, expect, test } from 'vitest';
import { buildGraph } from '../../../../src/engine/build-graph.js';
import {
  type AttentionProblem,
  attentionBackward,
  attentionDecode,
  attentionForward,
} from '../../../../src/engine/cuda/codegen/attention.js';
import type { Lowered } from '../../../../src/engine/cuda/codegen/lowered.js';
import { lowerOpaque } from '../../../../src/engine/cuda/codegen/lowerings.js';
import { matmul } from '../../../../src/engine/cuda/codegen/matmul.js';
import { planProgram } from '../../../../src/engine/cuda/compiler/plan-program.js';
import type { ProgramPlan } from '../../../../src/engine/cuda/compiler/program-plan.js';
import {
  add,
  attention,
  crossEntropy,
  type DType,
  gradients,
  linear,
  mergeHeads,
  mul,
  reshape,
  rmsNorm,
  silu,
  splitHeads,
  Tensor,
} from '../../../../src/index.js';
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
/** Launches whose registers decide how fast they are. */
const fast: readonly Lowered[] = [
  ...[decoder, encoder, wide].flatMap((problem) => [attentionForward(problem), attentionBackward(problem)]),
  attentionDecode({ ...decoder, batch: 1, queries: 1 }, { dtype: 'int32', offset: 1 }),
];

/** A decoder layer, its loss over a vocabulary and all gradients, at a published width. */
function trainingPlan(): ProgramPlan {
  const input = (shape: readonly number[], dtype: DType = 'float32') => new Tensor(shape, dtype, { kind: 'input' });
  const weights = {
    norm: input([896]),
    q: input([896, 896]),
    k: input([128, 896]),
    v: input([128, 896]),
    o: input([896, 896]),
    gate: input([4864, 896]),
    up: input([4864, 896]),
    down: input([896, 4864]),
    head: input([151_936, 896]),
  };
  const [x, targets] = [input([2, 256, 896]), input([512], 'int32')];
  const { norm, q, k, v, o, gate, up, down, head } = weights;
  const normalized = rmsNorm(x, norm);
  const heads = (weight: Tensor, count: number) => splitHeads(linear(normalized, weight), count);
  const mixed = mergeHeads(attention(heads(q, 14), heads(k, 2), heads(v, 2), { causal: true }));
  const hidden = add(x, linear(mixed, o));
  const again = rmsNorm(hidden, norm);
  const out = add(hidden, linear(mul(silu(linear(again, gate)), linear(again, up)), down));
  const loss = crossEntropy(linear(reshape(out, [512, 896]), head), targets);
  const parameters = Object.values(weights);
  const outputs = [loss, ...gradients(loss, parameters)];
  const { graph } = buildGraph(outputs, [x, targets, ...parameters], () => ({ kind: 'constant' }));
  return planProgram(graph, { precision: 'bfloat16' });
}

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

  test('of attention keep everything in registers', async () => {
    const resources = await compileWithNvcc(kernelsOf(fast), ['sm_80', 'sm_90']);
    expect(resources.length).toBeGreaterThan(20);
    // A register or two more than there are is nothing; sums in memory would be a hundred.
    for (const { name, spillLoadBytes } of resources) expect(spillLoadBytes, name).toBeLessThanOrEqual(16);
  });

  test('that are written for a graph compile without a warning, and keep everything in registers', async () => {
    const written = trainingPlan().steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel] : []));
    const kernels = [...new Map(written.map((kernel) => [kernel.name, kernel])).values()];
    const resources = await compileWithNvcc(kernels, ['sm_80', 'sm_90']);
    expect(resources.length).toBeGreaterThan(20);
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
