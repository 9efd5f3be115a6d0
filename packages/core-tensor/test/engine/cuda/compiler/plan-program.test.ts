import { describe, expect, it } from 'vitest';
import { buildGraph } from '../../../../src/engine/build-graph.js';
import { planProgram } from '../../../../src/engine/cuda/compiler/plan-program.js';
import type { KernelStep, MatmulStep, ProgramPlan } from '../../../../src/engine/cuda/compiler/program-plan.js';
import type { Precision } from '../../../../src/engine/cuda/compiler/storage.js';
import {
  add,
  attention,
  cast,
  checkpoint,
  cos,
  crossEntropy,
  type DType,
  gelu,
  gradients,
  layerNorm,
  linear,
  matmul,
  mul,
  reshape,
  sigmoid,
  softmax,
  sum,
  Tensor,
  tensor,
  transpose,
  updateSlice,
} from '../../../../src/index.js';

const input = (shape: readonly number[], dtype: DType = 'float32') => new Tensor(shape, dtype, { kind: 'input' });

function plan(outputs: readonly Tensor[], inputs: readonly Tensor[], precision: Precision = 'float32'): ProgramPlan {
  return planProgram(buildGraph(outputs, inputs, () => ({ kind: 'constant' })).graph, { precision });
}

const kernels = ({ steps }: ProgramPlan) => steps.filter((step): step is KernelStep => step.kind === 'kernel');
const products = ({ steps }: ProgramPlan) => steps.filter((step): step is MatmulStep => step.kind === 'matmul');
const kinds = ({ steps }: ProgramPlan) =>
  steps.map((step) => (step.kind === 'kernel' ? step.kernel.name.replace(/_.*/, '') : step.kind));

describe('planProgram', () => {
  it('computes a chain of elementwise operations in one kernel that reads each input once', () => {
    const [x, y, bias] = [input([64, 32]), input([64, 32]), input([32])];
    const made = plan([mul(sigmoid(add(mul(x, y), bias)), x)], [x, y, bias]);
    expect(kinds(made)).toEqual(['pointwise']);
    const [kernel] = kernels(made);
    expect(kernel!.kernel.source.match(/v0\[/g)).toHaveLength(1);
    expect(kernel!.arguments).toHaveLength(4);
  });

  it('normalizes rows together with the sum before, which is kept, and what comes after', () => {
    const [x, y, weight, bias] = [input([128, 96]), input([128, 96]), input([96]), input([96])];
    const residual = add(x, y);
    const made = plan([residual, gelu(layerNorm(residual, { weight, bias }))], [x, y, weight, bias]);
    expect(kinds(made)).toEqual(['row']);
    expect(kernels(made)[0]!.writes).toHaveLength(2);
  });

  it('computes a loss over a vocabulary and its gradient in one kernel, without logarithms of probabilities in memory', () => {
    const [hidden, weight, targets] = [input([256, 64]), input([1000, 64]), input([256], 'int32')];
    const logits = matmul(hidden, weight, { transposeB: true });
    const loss = crossEntropy(logits, targets);
    const made = plan([loss, ...gradients(loss, [hidden, weight])], [hidden, weight, targets], 'bfloat16');
    const full = made.values.filter(({ shape, place }) => shape.join() === '256,1000' && place.kind === 'arena');
    expect(full.map(({ dtype }) => dtype)).toEqual(['bfloat16', 'bfloat16']);
    const overVocabulary = kernels(made).filter((step) =>
      step.arguments.some((each) => each !== 'failure' && made.values[each]!.shape.join() === '256,1000'),
    );
    expect(overVocabulary).toHaveLength(1);
  });

  it('reads operands of products through transpositions and slices, and copies what the library cannot step through', () => {
    const x = input([2, 8, 4, 16]); // [batch, tokens, heads, width]
    const heads = transpose(x, [0, 2, 1, 3]);
    const scores = plan([matmul(heads, heads, { transposeB: true })], [x]);
    expect(kinds(scores)).toEqual(['matmul', 'matmul']);
    expect(products(scores)[1]).toMatchObject({
      batch: 4,
      a: { rowStride: 64, batchStride: 16, offset: 512, transpose: false },
      b: { rowStride: 64, batchStride: 16, offset: 512, transpose: true },
    });
    const mixed = transpose(x, [3, 1, 0, 2]); // [width, tokens, batch, heads]: neither rows nor columns lie together
    const weight = input([4, 5]);
    expect(kinds(plan([matmul(mixed, weight)], [x, weight]))[0]).toBe('pointwise');
  });

  it('adds bias and residual while a product is written', () => {
    const [x, weight, bias, residual] = [input([16, 16]), input([8, 16]), input([8]), input([16, 8])];
    const made = plan([add(residual, linear(x, weight, bias))], [x, weight, bias, residual]);
    expect(kinds(made)).toEqual(['matmul']);
    const [step] = products(made);
    expect([step!.bias, step!.residual].map((value) => made.values[value!]!.shape)).toEqual([[8], [16, 8]]);
  });

  it('multiplies the few rows of a token with several weights in one launch', () => {
    const inputs = [input([1, 64]), input([64, 64]), input([16, 64]), input([16, 64]), input([64, 64]), input([64])];
    const [x, q, k, v, o, bias] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    const outputs = [linear(x, q, bias), linear(x, k), linear(x, v)];
    const made = plan([...outputs, add(x, linear(gelu(outputs[0]!), o))], inputs);
    expect(kinds(made)).toEqual(['vector', 'pointwise', 'vector']);
    expect(kernels(made)[0]!.writes).toHaveLength(3);
  });

  it('multiplies with a number on the way', () => {
    const [q, k] = [input([2, 8, 16]), input([2, 8, 16])];
    const made = plan([matmul(mul(q, 0.25), k, { transposeB: true })], [q, k]);
    expect(kinds(made)).toEqual(['matmul']);
    expect(products(made)[0]!.alpha).toBe(0.25);
  });

  it('holds activations as bfloat16 under that precision, and gradients of weights, sums and results as float32', () => {
    const [x, first, second] = [input([512, 64]), input([64, 64]), input([64, 64])];
    const loss = sum(linear(gelu(linear(x, first)), second));
    const grads = gradients(loss, [first, second]);
    const made = plan([loss, ...grads], [x, first, second], 'bfloat16');
    const types = products(made).map((step) =>
      [step.a, step.b, step.out].map(({ value }) => made.values[value]!.dtype).join(),
    );
    expect(new Set(types)).toEqual(new Set(['bfloat16,bfloat16,bfloat16', 'bfloat16,bfloat16,float32']));
    for (const output of made.outputs) expect(made.values[output]!.dtype).toBe('float32');
  });

  it('computes angles from positions in float32 under any precision', () => {
    const [positions, x] = [input([64], 'int32'), input([64, 32])];
    const angles = matmul(
      reshape(cast(positions, 'float32'), [64, 1]),
      tensor(new Float32Array(32).fill(0.3), [1, 32]),
    );
    const made = plan([mul(x, cos(angles))], [positions, x], 'bfloat16');
    for (const { a, b, out } of products(made))
      expect([a, b, out].map(({ value }) => made.values[value]!.dtype)).toEqual(['float32', 'float32', 'float32']);
  });

  it('computes what depends on constants alone once', () => {
    const x = input([4, 4]);
    const table = softmax(
      mul(
        tensor(
          Float32Array.from({ length: 1024 }, (_, i) => i),
          [64, 16],
        ),
        0.1,
      ),
      -1,
    );
    const made = plan([matmul(reshape(table, [256, 4]), x)], [x]);
    expect(made.preparation).toHaveLength(1);
    expect(kinds(made)).toEqual(['matmul']);
  });

  it('writes elementwise results over arguments safely: in one kernel', () => {
    const tensors = Array.from({ length: 6 }, () => input([1000]));
    const [p, g, m, v, s] = tensors as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const nextM = add(mul(m, 0.9), mul(g, 0.1));
    const nextV = add(mul(v, 0.99), mul(mul(g, g), 0.01));
    const made = plan([add(p, mul(nextM, s)), nextM, nextV, add(nextV, nextM)], tensors);
    expect(kinds(made)).toEqual(['pointwise']);
  });

  it('replaces a slice of an argument after everyone has read it', () => {
    const [cache, key, start] = [input([4, 8]), input([1, 8]), input([], 'int32')];
    const updated = updateSlice(cache, key, start, 0);
    expect(kinds(plan([updated, sum(mul(cache, 2))], [cache, key, start]))).toEqual(['row', 'copy', 'update']);
    // What reads both needs the argument as it was.
    const both = plan([updated, sum(mul(cache, updated))], [cache, key, start]);
    expect(kinds(both)[0]).toBe('copy');
    expect(both.steps[0]).toMatchObject({ from: both.values.findIndex(({ place }) => place.kind === 'input') });
  });

  it('keeps recomputation apart from what it repeats', () => {
    const [x, weight] = [input([256, 64]), input([64, 64])];
    const loss = (block: (x: Tensor) => Tensor) => sum(block(block(x)));
    const block = (y: Tensor) => gelu(layerNorm(linear(y, weight)));
    const arena = (of: Tensor) => plan([of, ...gradients(of, [weight])], [x, weight]).arenaBytes;
    const whole = arena(loss(block));
    const recomputed = arena(loss((y) => checkpoint(block)(y)));
    expect(recomputed).toBeLessThan(whole);
  });

  it('computes attention and its gradients without the weights in memory', () => {
    const [q, k, v] = [input([2, 4, 16, 8]), input([2, 2, 16, 8]), input([2, 2, 16, 8])];
    const out = attention(q, k, v, { causal: true });
    const made = plan([out, ...gradients(sum(mul(out, out)), [q, k, v])], [q, k, v]);
    expect(products(made)).toEqual([]);
    const ofScores = made.values.filter(({ shape }) => shape.reduce((a, b) => a * b, 1) >= 2 * 4 * 16 * 16);
    expect(ofScores.map(({ place }) => place.kind)).toEqual([]);
  });

  it('leaves attention as it is where terms are added along other axes than those of the scores', () => {
    const [q, k, v, byRow] = [
      input([2, 4, 16, 8]),
      input([2, 4, 16, 8]),
      input([2, 4, 16, 8]),
      input([2, 4, 16, 4, 1]),
    ];
    const scores = reshape(matmul(q, k, { transposeB: true }), [2, 4, 16, 4, 4]);
    const weights = softmax(reshape(add(scores, byRow), [2, 4, 16, 16]), -1);
    const made = plan([matmul(weights, v)], [q, k, v, byRow]);
    expect(kinds(made)).toEqual(['matmul', 'row', 'matmul']);
  });

  it('leaves attention as it is where its heads are taken apart otherwise', () => {
    const [q, k, v] = [input([1, 8, 16, 8]), input([1, 8, 16, 8]), input([1, 8, 16, 8])];
    const weights = softmax(reshape(matmul(q, k, { transposeB: true }), [2, 4, 16, 16]), -1);
    expect(kinds(plan([matmul(reshape(weights, [1, 8, 16, 16]), v)], [q, k, v]))).toEqual(['matmul', 'row', 'matmul']);
  });
});
