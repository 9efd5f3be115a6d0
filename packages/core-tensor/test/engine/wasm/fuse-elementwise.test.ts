import { describe, expect, test } from 'vitest';
import { buildGraph } from '../../../src/engine/build-graph.js';
import { type FusedKernel, fuseElementwise } from '../../../src/engine/wasm/fuse-elementwise.js';
import {
  abs,
  add,
  ceil,
  div,
  equal,
  exp,
  floor,
  greater,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  matmul,
  maximum,
  minimum,
  mul,
  neg,
  reciprocal,
  relu,
  round,
  type Shape,
  sqrt,
  sub,
  Tensor,
  where,
} from '../../../src/index.js';

type Expression = (x: Tensor, y: Tensor, s: Tensor) => Tensor;
type Formula = (x: number, y: number, s: number) => number;

function fuse(expressions: readonly Expression[], shape: Shape): FusedKernel | undefined {
  const inputs = [shape, shape, []].map((each) => new Tensor(each, 'float32', { kind: 'input' }));
  const [x, y, s] = inputs as [Tensor, Tensor, Tensor];
  const outputs = expressions.map((expression) => expression(x, y, s));
  return fuseElementwise(buildGraph(outputs, inputs, () => ({ kind: 'constant' })).graph);
}

function values(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => Math.fround(4 * Math.sin(seed + 1.7 * index)));
}

function roundHalfToEven(x: number): number {
  const nearest = Math.round(x);
  return Math.abs(x % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

const operations: Readonly<Record<string, readonly [Expression, Formula]>> = {
  neg: [(x) => neg(x), (x) => -x],
  abs: [(x) => abs(x), (x) => Math.abs(x)],
  sqrt: [(x) => sqrt(abs(x)), (x) => Math.sqrt(Math.abs(x))],
  reciprocal: [(x) => reciprocal(x), (x) => 1 / x],
  relu: [(x) => relu(x), (x) => Math.max(x, 0)],
  floor: [(x) => floor(x), (x) => Math.floor(x)],
  ceil: [(x) => ceil(x), (x) => Math.ceil(x)],
  round: [(x) => round(mul(x, 2)), (x) => roundHalfToEven(2 * x)],
  add: [(x, y) => add(x, y), (x, y) => x + y],
  sub: [(x, y) => sub(x, y), (x, y) => x - y],
  mul: [(x, y) => mul(x, y), (x, y) => x * y],
  div: [(x, y) => div(x, y), (x, y) => x / y],
  maximum: [(x, y) => maximum(x, y), (x, y) => Math.max(x, y)],
  minimum: [(x, y) => minimum(x, y), (x, y) => Math.min(x, y)],
  scalar: [(x, _, s) => mul(sub(x, s), 0.5), (x, _, s) => (x - s) * 0.5],
  equal: [(x, y) => where(equal(floor(x), floor(y)), x, y), (x, y) => (Math.floor(x) === Math.floor(y) ? x : y)],
  less: [(x, y) => where(less(x, y), 1, x), (x, y) => (x < y ? 1 : x)],
  lessEqual: [(x, y) => where(lessEqual(floor(x), y), x, -1), (x, y) => (Math.floor(x) <= y ? x : -1)],
  logicalAnd: [(x, y) => where(logicalAnd(greater(x, 0), greater(y, 0)), x, y), (x, y) => (x > 0 && y > 0 ? x : y)],
  logicalOr: [(x, y) => where(logicalOr(greater(x, 0), greater(y, 0)), x, y), (x, y) => (x > 0 || y > 0 ? x : y)],
  logicalNot: [(x, y) => where(logicalNot(greater(x, 0)), x, y), (x, y) => (x > 0 ? y : x)],
};

describe('fuseElementwise', () => {
  test.each(Object.entries(operations))('computes %s to the last bit', (_name, [expression, formula]) => {
    const [x, y] = [values(1001, 0.3), values(1001, 2.1)];
    const result = new Float32Array(1001);
    fuse([expression], [1001])!.run([x, y, Float32Array.of(1.25)], [result]);
    expect(result).toEqual(x.map((each, index) => formula(each, y[index]!, 1.25)));
  });

  test.each([0, 1, 3, 4, 5, 8191, 8192, 8193, 20_000])('runs over %i elements', (length) => {
    const [x, y] = [values(length, 1), values(length, 2)];
    const result = new Float32Array(length + 1).fill(-7);
    fuse([operations.add![0]], [length])!.run([x, y, Float32Array.of(0)], [result.subarray(0, length)]);
    expect(result.subarray(0, length)).toEqual(x.map((each, index) => each + y[index]!));
    expect(result[length]).toBe(-7);
  });

  test('writes several results over its inputs', () => {
    const [x, y] = [values(9000, 1), values(9000, 2)];
    const [sum, difference] = [x.map((each, index) => each + y[index]!), x.map((each, index) => each - y[index]!)];
    fuse([operations.add![0], operations.sub![0]], [9000])!.run([x, y, Float32Array.of(0)], [x, y]);
    expect(x).toEqual(sum);
    expect(y).toEqual(difference);
  });

  test('keeps a vector of one element and a scalar apart', () => {
    const result = new Float32Array(1);
    fuse([operations.scalar![0]], [1])!.run([Float32Array.of(3), Float32Array.of(0), Float32Array.of(1)], [result]);
    expect(result[0]).toBe(1);
  });

  test('leaves alone what vector instructions cannot compute', () => {
    expect(fuse([(x) => exp(x)], [8])).toBeUndefined();
    expect(fuse([(x, y) => matmul(x, y)], [2, 2])).toBeUndefined();
    expect(fuse([(x, y) => less(x, y)], [8])).toBeUndefined();
  });
});
