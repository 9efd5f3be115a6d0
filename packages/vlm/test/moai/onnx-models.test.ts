import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  add,
  ConfigError,
  closeEngine,
  concat,
  exportOnnx,
  mean,
  mul,
  reshape,
  sliceAxis,
  type Tensor,
  tensor,
  zeros,
} from '@ocelli/core-tensor';
import { imageProcessor, type RgbImage, solidImage } from '@ocelli/data';
import { findAll, verbalize } from '@ocelli/moai-mixer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnxVisionModels } from '../../src/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onnx-models-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await closeEngine();
});

/** Values 0 … 1, four by four pixels. */
const processor = imageProcessor({ resize: { width: 4, height: 4 }, filter: 'box' });
const vocabularies = { segments: ['day', 'night'], detections: ['dark', 'bright'], predicates: ['on', 'under'] };

/** Black on the left, white on the right. */
function halves(): RgbImage {
  const picture = solidImage({ width: 8, height: 8 }, [0, 0, 0]);
  picture.data.forEach((_, index) => {
    if (Math.floor(index / 3) % 8 >= 4) picture.data[index] = 255;
  });
  return picture;
}

/** Writes a model of pixels [1, 3, 4, 4], and gives its path. */
async function written(
  name: string,
  fn: (pixels: Tensor) => Readonly<Record<string, Tensor>>,
): Promise<{ source: string; processor: typeof processor }> {
  const source = join(folder, `${name}.onnx`);
  await exportOnnx(source, ({ pixel_values }) => fn(pixel_values!), { inputs: { pixel_values: zeros([1, 3, 4, 4]) } });
  return { source, processor };
}

/** Brightness [1, 1, 4, 4]. */
const brightness = (pixels: Tensor) => mean(pixels, { axes: 1, keepDims: true });

/** A query for bright pixels, one for dark ones. */
function segmenter(pixels: Tensor) {
  const bright = add(mul(brightness(pixels), 40), -20);
  const classes = tensor([9, 0, 0, 0, 9, 0], [1, 2, 3]);
  return {
    class_queries_logits: add(classes, mul(mean(bright), 0)),
    masks_queries_logits: concat([bright, mul(bright, -1)], 1),
  };
}

/** One box, whose name follows from the brightness of the whole picture. */
function detector(pixels: Tensor) {
  const whole = reshape(mean(pixels), [1, 1, 1]);
  return {
    logits: concat([add(mul(whole, -8), 4), add(mul(whole, 8), -3)], 2),
    pred_boxes: add(tensor([0.75, 0.5, 0.5, 1], [1, 1, 4]), mul(whole, 0)),
  };
}

/** Two objects, the second under the first as surely as the picture is bright on the right. */
function relator(pixels: Tensor) {
  const right = reshape(mean(sliceAxis(pixels, 3, 2)), [1, 1]);
  return {
    labels: add(tensor([0, 1], [2]), mul(reshape(right, [1]), 0)),
    pairs: add(tensor([1, 0, 0, 1], [2, 2]), mul(right, 0)),
    probabilities: concat(
      [concat([mul(right, 0), mul(right, 0.95)], 1), concat([mul(right, 0.1), mul(right, 0)], 1)],
      0,
    ),
  };
}

describe('onnxVisionModels', () => {
  it('find what the files compute, in words', async () => {
    const models = onnxVisionModels({
      imageSize: 8,
      vocabularies,
      segmentation: await written('segmenter', segmenter),
      detection: await written('detector', detector),
      relations: await written('relator', relator),
      read: async ({ width, height }) => [{ text: `${width}x${height}`, confidence: 1 }],
    });
    const text = verbalize(await findAll(models, halves()), { vocabularies, imageSize: 8 });
    expect(text).toBe(
      [
        'The image includes bounding box coordinates and their objects: [0.50, 0.00, 1.00, 1.00] day, and [0.00, 0.00, 0.50, 1.00] night.',
        'The image includes bounding box coordinates and their objects: [0.50, 0.00, 1.00, 1.00] bright.',
        'The image includes relationships between objects: night is under day.',
        'The image includes text descriptions: 8x8.',
      ].join(' '),
    );
  });

  it('select the relations of a raw scene-graph generator', async () => {
    const raw = (pixels: Tensor) => {
      const bright = add(mul(brightness(pixels), 40), -20);
      const here = mul(mean(bright), 0);
      return {
        subject_logits: add(tensor([9, 0, 0], [1, 1, 3]), here),
        object_logits: add(tensor([0, 9, 0], [1, 1, 3]), here),
        relation_logits: add(tensor([0, 0, 9], [1, 1, 3]), here),
        subject_masks: bright,
        object_masks: mul(bright, -1),
      };
    };
    const relations = { ...(await written('raw', raw)), results: 'raw', wallClass: 'keep' } as const;
    const found = await onnxVisionModels({ imageSize: 8, vocabularies, relations }).relate(halves());
    expect(found.labels).toEqual([0, 1]);
    expect(found.relations).toHaveLength(1);
    const { subject, object, probabilities } = found.relations[0]!;
    expect([subject, object]).toEqual([0, 1]);
    expect(probabilities[1]).toBeCloseTo(Math.exp(9) / (Math.exp(9) + 2), 5);
    // As published, the last class but one is thrown away: of two classes the first.
    const published = { ...relations, wallClass: 'drop' } as const;
    const dropped = await onnxVisionModels({ imageSize: 8, vocabularies, relations: published }).relate(halves());
    expect(dropped).toEqual({ labels: [], relations: [] });
  });

  it('give a scene-graph generator red and blue in each other’s place, as published, or not', async () => {
    const relator = (pixels: Tensor) => ({
      labels: add(tensor([0, 1], [2]), mul(mean(pixels), 0)),
      pairs: add(tensor([0, 1], [1, 2]), mul(mean(pixels), 0)),
      probabilities: reshape(mean(pixels, { axes: [0, 2, 3] }), [1, 3]),
    });
    const relations = await written('channels', relator);
    const red = solidImage({ width: 8, height: 8 }, [255, 0, 0]);
    const strongest = async (channels?: 'published' | 'correct') => {
      const models = onnxVisionModels({ imageSize: 8, relations: { ...relations, ...(channels && { channels }) } });
      return Array.from((await models.relate(red)).relations[0]!.probabilities);
    };
    expect(await strongest()).toEqual([0, 0, 1]);
    expect(await strongest('correct')).toEqual([1, 0, 0]);
  });

  it('find nothing without files', async () => {
    const models = onnxVisionModels({ imageSize: 8 });
    expect(verbalize(await findAll(models, halves()), { imageSize: 8 })).toBe('   ');
  });

  it('refuse a file without the results', async () => {
    const models = onnxVisionModels({ imageSize: 8, detection: await written('other', segmenter) });
    await expect(models.detect(halves())).rejects.toThrow(ConfigError);
    await expect(models.detect(halves())).rejects.toThrow('logits, pred_boxes');
  });
});
