import { expect, test } from 'vitest';
import { buildGraph } from '../../src/engine/build-graph.js';
import { isElementwise } from '../../src/graph/elementwise.js';
import { add, exp, less, type Shape, softmax, sum, Tensor, tensor, transpose, where } from '../../src/index.js';

const input = (shape: Shape) => new Tensor(shape, 'float32', { kind: 'input' });
const graphOf = (outputs: readonly Tensor[], inputs: readonly Tensor[]) =>
  buildGraph(outputs, inputs, () => ({ kind: 'constant' })).graph;

test('a graph of one shape and scalars is elementwise', () => {
  const [x, y, rate] = [input([2, 3]), input([2, 3]), input([])];
  expect(isElementwise(graphOf([add(exp(x), rate), where(less(x, y), x, 0)], [x, y, rate]))).toBe(true);
});

test('other shapes, and operations that look beyond an element, are not', () => {
  const [x, row] = [input([3, 3]), input([3])];
  expect(isElementwise(graphOf([add(x, row)], [x, row]))).toBe(false);
  expect(isElementwise(graphOf([softmax(x)], [x]))).toBe(false);
  expect(isElementwise(graphOf([transpose(x)], [x]))).toBe(false);
  expect(isElementwise(graphOf([sum(x)], [x]))).toBe(false);
  expect(isElementwise(graphOf([exp(x), exp(row)], [x, row]))).toBe(false);
  expect(isElementwise(graphOf([add(x, tensor(new Float32Array(9), [3, 3]))], [x]))).toBe(false);
});
