import { describe, expect, it } from 'vitest';
import { type CollateOptions, collate } from '../../src/collate/collate.js';
import type { CollateSample } from '../../src/collate/visual-tokens.js';
import type { PixelValues } from '../../src/image/preprocess.js';

/** A 2 × 1 image whose values tell it apart. */
function pixelsOf(value: number, height = 2, width = 1): PixelValues {
  return { data: Float32Array.from({ length: 3 * height * width }, (_, index) => value + index / 10), height, width };
}

function sampleOf(ids: readonly number[], trainedFrom: number, values: readonly number[] = []): CollateSample {
  const starts = ids.flatMap((id, position) => (id === -1 && ids[position - 1] !== -1 ? [position] : []));
  return {
    sampleId: `sample ${ids[1]}`,
    inputIds: Int32Array.from(ids),
    labels: Int32Array.from(ids, (id, position) => (position >= trainedFrom ? id : -100)),
    images: starts.map((start, image) => ({ start, image })),
    pixels: values.map((value) => pixelsOf(value)),
  };
}

const OPTIONS: CollateOptions = { visualTokensPerImage: 2, padTokenId: 0, buckets: 4 };

describe('collate', () => {
  const withImage = sampleOf([1, 7, -1, -1, 8, 2], 4, [10]);
  const textOnly = sampleOf([1, 9, 2], 1);
  const two = sampleOf([1, -1, -1, 5, -1, -1, 6, 4, 2], 6, [20, 30]);

  it('pads on the right and plans where every image goes', () => {
    const batch = collate([withImage, textOnly], OPTIONS);
    expect(batch.shape).toEqual({ batch: 2, length: 8, images: 1, height: 2, width: 1, visualTokensPerImage: 2 });
    expect(batch.sampleIds).toEqual(['sample 7', 'sample 9']);
    expect([...batch.lengths]).toEqual([6, 3]);
    expect([...batch.inputIds]).toEqual([1, 7, 0, 0, 8, 2, 0, 0, 1, 9, 2, 0, 0, 0, 0, 0]);
    expect([...batch.labels]).toEqual([-100, -100, -100, -100, 8, 2, -100, -100, -100, 9, 2, ...Array(5).fill(-100)]);
    expect([...batch.attentionMask]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0]);
    expect([...batch.positions]).toEqual([0, 1, 2, 3, 4, 5, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0]);
    expect([...batch.plan]).toEqual([0, 1, 16, 17, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(batch.pixelValues).toEqual(pixelsOf(10).data);
  });

  it('pads on the left for generation', () => {
    const prompt = { ...withImage, labels: new Int32Array(6).fill(-100) };
    const batch = collate([prompt, two], { ...OPTIONS, purpose: 'generation' });
    expect(batch.shape.length).toBe(12);
    expect([...batch.inputIds.slice(0, 12)]).toEqual([0, 0, 0, 0, 0, 0, 1, 7, 0, 0, 8, 2]);
    expect([...batch.attentionMask.slice(0, 12)]).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
    expect([...batch.positions.slice(0, 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5]);
    expect([...batch.plan.slice(6, 12)]).toEqual([6, 7, 24, 25, 10, 11]);
    // Row 1 starts at 12 + 3; its images are the batch's second and third.
    expect([...batch.plan.slice(12)]).toEqual([12, 13, 14, 15, 26, 27, 18, 28, 29, 21, 22, 23]);
    expect([...batch.pixelValues]).toEqual([10, 20, 30].flatMap((value) => [...pixelsOf(value).data]));
  });

  it('makes a batch of texts without images, or with blank ones where the program needs them', () => {
    const texts = collate([textOnly], OPTIONS);
    expect(texts.shape).toMatchObject({ images: 0, height: 0, width: 0 });
    expect(texts.pixelValues).toHaveLength(0);
    const blank = collate([textOnly], { ...OPTIONS, imagesPerBatch: 2, imageSize: { height: 2, width: 1 } });
    expect(blank.shape).toMatchObject({ images: 2, height: 2, width: 1 });
    expect(blank.pixelValues).toEqual(new Float32Array(12));
    const filled = collate([withImage, textOnly], { ...OPTIONS, imagesPerBatch: 2 });
    expect([...filled.pixelValues]).toEqual([...pixelsOf(10).data, 0, 0, 0, 0, 0, 0]);
  });

  it('takes the smallest bucket that is long enough', () => {
    const lengthFor = (buckets: CollateOptions['buckets']) =>
      collate([withImage], { ...OPTIONS, buckets }).shape.length;
    expect([1, 4, 6, 7, 100].map(lengthFor)).toEqual([6, 8, 6, 7, 100]);
    expect(lengthFor([3, 6, 9])).toBe(6);
    expect(lengthFor([3, 7, 9])).toBe(7);
    expect(() => lengthFor([3, 5])).toThrow(/sample 7.*at most 5 tokens.*received 6/);
    expect(() => lengthFor([5, 3])).toThrow(/increasing order/);
    expect(() => lengthFor([])).toThrow(/increasing order/);
    expect(() => lengthFor(0)).toThrow(/positive integer/);
  });

  it('names the sample whose mask does not add up', () => {
    const broken: readonly (readonly [string, Partial<CollateSample>, RegExp])[] = [
      ['no trained token', { labels: new Int32Array(6).fill(-100) }, /at least one token to train, received none/],
      [
        'only the first token trained',
        { labels: Int32Array.of(1, -100, -100, -100, -100, -100) },
        /received none among 6/,
      ],
      ['labels of another length', { labels: Int32Array.of(1, 2) }, /as many labels as the 6 tokens, received 2/],
      ['a label that is not its token', { labels: Int32Array.of(-100, -100, -100, -100, 9, 2) }, /label 8 or -100 at/],
      ['a trained image', { labels: Int32Array.of(-100, -100, 0, -100, 8, 2) }, /label -1 or -100 at position 2/],
      ['an image in the text', { images: [{ start: 1, image: 0 }] }, /an image at position 1, received token 7/],
      ['a missing image', { images: [] }, /text at position 2, received token -1/],
      ['an image past the end', { images: [{ start: 5, image: 0 }] }, /2 positions from 5 on/],
      ['one place for two images', { images: [withImage.images[0]!, withImage.images[0]!] }, /2 separate images/],
      ['no token', { inputIds: new Int32Array(0) }, /at least one token, received none/],
      ['no pixels', { pixels: [] }, /pixels of 1 images, received 0/],
      ['pixels of the wrong length', { pixels: [{ ...pixelsOf(1), data: new Float32Array(5) }] }, /6 values an image/],
    ];
    for (const [what, change, message] of broken) {
      expect(() => collate([textOnly, { ...withImage, ...change }], OPTIONS), what).toThrow(
        expect.objectContaining({
          name: 'CollationError',
          sampleId: 'sample 7',
          message: expect.stringMatching(message),
        }),
      );
    }
  });

  it('names the sample whose image has another size', () => {
    const other = { ...withImage, sampleId: 'wide', pixels: [pixelsOf(1, 2, 3)] };
    expect(() => collate([withImage, other], OPTIONS)).toThrow(/wide.*images of 2 × 1 pixels, received 2 × 3/);
  });

  it('refuses options that cannot work', () => {
    const attempt = (change: Partial<CollateOptions>) => () => collate([withImage], { ...OPTIONS, ...change });
    expect(attempt({ padTokenId: -1 })).toThrow(/padTokenId/);
    expect(attempt({ visualTokensPerImage: 0 })).toThrow(/visualTokensPerImage/);
    expect(attempt({ imagesPerBatch: 0 })).toThrow(/at most 0 images in a batch, received 1/);
    expect(() => collate([textOnly], { ...OPTIONS, imagesPerBatch: 1 })).toThrow(/imageSize/);
    expect(() => collate([], OPTIONS)).toThrow(/at least one sample/);
  });
});
