import { expect, test } from 'vitest';
import { buildGraph } from '../../src/engine/build-graph.js';
import { exp, reshape, Tensor, tensor, transpose } from '../../src/index.js';
import { numbersIn } from '../support/expect-numbers.js';

const input = (...shape: number[]) => new Tensor(shape, 'float32', { kind: 'input' });

/** Operations that compute a result, in order. */
function operations(output: Tensor, from: Tensor): string[] {
  const { graph } = buildGraph([output], [from], () => ({ kind: 'constant' }));
  const used = new Set(graph.outputs);
  [...graph.nodes].reverse().forEach((node, reversed) => {
    const index = graph.nodes.length - 1 - reversed;
    if (used.has(index) && node.kind === 'operation') for (const each of node.inputs) used.add(each);
  });
  return graph.nodes.flatMap((node, index) => (used.has(index) && node.kind === 'operation' ? [node.op] : []));
}

test('views of views are one reshape', () => {
  const x = input(1, 1, 12);
  expect(operations(exp(transpose(reshape(reshape(x, [1, 12]), [1, 1, 3, 4]), [0, 2, 1, 3])), x)).toEqual([
    'reshape',
    'exp',
  ]);
});

test('a view back to the first shape is nothing', () => {
  const x = input(2, 6);
  expect(operations(exp(reshape(reshape(x, [3, 4]), [2, 6])), x)).toEqual(['exp']);
});

test('a transposition that moves elements stays', async () => {
  const x = input(2, 1, 3);
  expect(operations(transpose(x, [2, 1, 0]), x)).toEqual(['transpose']);
  expect(operations(transpose(x, [1, 0, 2]), x)).toEqual(['reshape']);
  const values = tensor([1, 2, 3, 4, 5, 6]);
  expect(await numbersIn(transpose(reshape(values, [2, 1, 3]), [2, 1, 0]))).toEqual([1, 4, 2, 5, 3, 6]);
  expect(await numbersIn(transpose(reshape(values, [2, 1, 3]), [1, 0, 2]))).toEqual([1, 2, 3, 4, 5, 6]);
});
