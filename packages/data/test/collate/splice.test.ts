import { describe, expect, it } from 'vitest';
import { type SpliceOptions, type SpliceRow, spliceImages } from '../../src/collate/splice.js';

const row = (sampleId: string, ...inputIds: number[]): SpliceRow => ({ sampleId, inputIds });

describe('spliceImages', () => {
  it('gives each image the positions of its own features, and padding the row of zeros', () => {
    const rows = [
      { ...row('a', 1, -200, 7, -200), labels: [-100, -100, 7, -100] },
      { ...row('b', 1, 5, 6), labels: [-100, 5, 6] },
    ];
    const batch = spliceImages(rows, { featureLengths: [2, 1, 4], padTokenId: 9 });
    expect(batch).toMatchObject({ batch: 2, length: 5 });
    expect([...batch.lengths]).toEqual([5, 3]);
    expect([...batch.inputIds]).toEqual([1, 9, 9, 7, 9, 1, 5, 6, 9, 9]);
    expect([...batch.labels]).toEqual([-100, -100, -100, 7, -100, -100, 5, 6, -100, -100]);
    expect([...batch.attentionMask]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
    expect([...batch.positions]).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 0, 0]);
    // Ten embedded ids, seven features (four of a dummy image that stands nowhere), then the zeros.
    expect([...batch.plan]).toEqual([0, 10, 11, 3, 12, 5, 6, 7, 17, 17]);
    expect(batch.images).toEqual([
      [
        { image: 0, start: 1, length: 2 },
        { image: 1, start: 4, length: 1 },
      ],
      [],
    ]);
  });

  it('pads on the left, and drops the padding that came in', () => {
    const rows = [
      { ...row('a', 0, 0, 1, -200), attentionMask: [0, 0, 1, 1] },
      { ...row('b', 1, 5, 0, 6), attentionMask: [true, true, false, true] },
    ];
    const batch = spliceImages(rows, { featureLengths: [3, 1], padding: 'left', buckets: [5, 8] });
    expect([...batch.inputIds]).toEqual([0, 1, 0, 0, 0, 0, 0, 1, 5, 6]);
    expect([...batch.plan]).toEqual([14, 1, 10, 11, 12, 14, 14, 7, 8, 9]);
    expect([...batch.positions]).toEqual([0, 0, 1, 2, 3, 0, 0, 0, 1, 2]);
    expect([...batch.attentionMask]).toEqual([0, 1, 1, 1, 1, 0, 0, 1, 1, 1]);
    expect(batch.images[0]).toEqual([{ image: 0, start: 1, length: 3 }]);
  });

  it('cuts after the images are in, also inside one', () => {
    const batch = spliceImages([row('a', 1, -200, 7, -200)], { featureLengths: [3, 3], maximumLength: 3 });
    expect([...batch.plan]).toEqual([0, 3, 4]);
    expect(batch.images).toEqual([[{ image: 0, start: 1, length: 2 }]]);
    const cutText = spliceImages([row('a', 1, 5, -200)], { featureLengths: [3], maximumLength: 2 });
    expect([...cutText.plan]).toEqual([0, 1]);
    expect(cutText.images).toEqual([[]]);
  });

  it('needs no dummy image where it is told so', () => {
    const rows = [row('a', 1, 2), row('b', -1, 2)];
    const batch = spliceImages(rows, { featureLengths: [1], imageToken: -1, dummyImages: false });
    expect([...batch.plan]).toEqual([0, 1, 4, 3]);
    expect([...spliceImages([row('a', 4)], { featureLengths: [0] }).plan]).toEqual([0]);
  });

  it('names the row that does not add up', () => {
    const attempt =
      (change: Partial<SpliceRow>, options: Partial<SpliceOptions> = {}) =>
      () =>
        spliceImages([row('first', 1), { ...row('second', 1, -200), ...change }], {
          featureLengths: [2, 2],
          ...options,
        });
    expect(attempt({})).not.toThrow();
    expect(attempt({ inputIds: [1, -200, -200] })).toThrow(
      /second\): expected features of image 2 .*those of 2 images/,
    );
    expect(attempt({}, { featureLengths: [2, 2, 2] })).toThrow(/expected features of 2 images, received those of 3/);
    expect(attempt({ labels: [1] })).toThrow(/second\): expected as many labels as the 2 ids, received 1/);
    expect(attempt({ attentionMask: [1, 1, 1] })).toThrow(/as many attentionMask as the 2 ids, received 3/);
    expect(attempt({ attentionMask: [0, 0] })).toThrow(/second\): expected at least one token, received none/);
    expect(attempt({ inputIds: [1, -7] })).toThrow(/second\): expected token ids, or -200 for an image, received -7/);
    expect(attempt({}, { buckets: [2] })).toThrow(/second\): expected at most 2 tokens/);
    expect(attempt({}, { featureLengths: [2, 0.5] })).toThrow(/received 0\.5/);
    expect(attempt({}, { maximumLength: 0 })).toThrow(/positive maximumLength/);
    expect(attempt({}, { imageToken: 3 })).toThrow(/negative imageToken, received 3/);
    expect(() => spliceImages([], { featureLengths: [] })).toThrow(/at least one row/);
  });
});
