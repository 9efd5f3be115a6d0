import { closeEngine, mul, sum, tensor, vectorJacobianProduct, zeros } from '@ocelli/core-tensor';
import { afterAll, expect, it } from 'vitest';
import { assembleSequences } from '../src/index.js';
import { integers } from './support.js';

afterAll(closeEngine);

// Two rows of three with one feature; two images of two tokens.
const text = tensor([1, 2, 3, 4, 5, 6], [2, 3, 1]);
const visual = tensor([10, 20, 30, 40], [2, 2, 1]);

it('puts visual tokens where the plan has them', async () => {
  const plan = integers([0, 8, 9, 6, 7, 5], [2, 3]);
  const sequences = assembleSequences(text, visual, plan);
  expect(sequences.shape).toEqual([2, 3, 1]);
  expect([...(await sequences.data())]).toEqual([1, 30, 40, 10, 20, 6]);
});

it('sends each gradient to the row it came from, and none to rows that stand nowhere', async () => {
  const plan = integers([0, 8, 9, 6, 6, 5], [2, 3]);
  const weights = tensor([1, 2, 3, 4, 5, 6], [2, 3, 1]);
  const total = sum(mul(assembleSequences(text, visual, plan), weights));
  const [toText, toVisual] = vectorJacobianProduct([total], [tensor([1], [])], [text, visual]);
  expect([...(await toText!.data())]).toEqual([1, 0, 0, 0, 0, 6]);
  expect([...(await toVisual!.data())]).toEqual([9, 0, 2, 3]);
});

it('fills padding with zeros that have no gradient', async () => {
  const plan = integers([0, 1, 10, 6, 10, 10], [2, 3]);
  const weights = tensor([1, 2, 3, 4, 5, 6], [2, 3, 1]);
  expect([...(await assembleSequences(text, visual, plan).data())]).toEqual([1, 2, 0, 10, 0, 0]);
  const total = sum(mul(assembleSequences(text, visual, plan), weights));
  const [toText, toVisual] = vectorJacobianProduct([total], [tensor([1], [])], [text, visual]);
  expect([...(await toText!.data())]).toEqual([1, 2, 0, 0, 0, 0]);
  expect([...(await toVisual!.data())]).toEqual([4, 0, 0, 0]);
  // Without images the zeros follow the texts.
  const texts = assembleSequences(text, undefined, integers([0, 6, 6, 3, 4, 6], [2, 3]));
  expect([...(await texts.data())]).toEqual([1, 0, 0, 4, 5, 0]);
});

it('leaves texts without images as they are', async () => {
  const plan = integers([0, 1, 2, 3, 4, 5], [2, 3]);
  expect([...(await assembleSequences(text, undefined, plan).data())]).toEqual([1, 2, 3, 4, 5, 6]);
  expect([...(await assembleSequences(text, zeros([0, 2, 1]), plan).data())]).toEqual([1, 2, 3, 4, 5, 6]);
});
