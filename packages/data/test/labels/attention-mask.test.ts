import { expect, it } from 'vitest';
import { publishedAttentionMask, spliceImages } from '../../src/index.js';

it('takes unknown tokens for padding as the published code does, or keeps them', () => {
  const inputIds = [1, 5, 0, 7, -200, 6];
  const attentionMask = publishedAttentionMask(inputIds, 0);
  expect([...attentionMask]).toEqual([1, 1, 0, 1, 1, 1]);
  const lengths = [{}, { attentionMask }].map((mask) => {
    const { length } = spliceImages([{ sampleId: 'a', inputIds, ...mask }], { featureLengths: [3] });
    return length;
  });
  expect(lengths).toEqual([8, 7]);
});
