import { posix } from 'node:path';
import { z } from 'zod';
import { annotationError, parseAnnotations, records } from './annotation-error.js';
import { boxText } from './box-text.js';
import type { ImageExample } from './group-examples.js';

const size = { width: z.number().positive(), height: z.number().positive() };

const expressionsSchema = z.looseObject({
  images: records({ id: z.int(), file_name: z.string(), caption: z.string(), ...size }),
  annotations: records({ image_id: z.int(), bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]) }),
});

/** RefCOCO, RefCOCO+ and RefCOCOg in MDETR's form: each expression is an image with one box. */
export function referringExamples(raw: unknown, imageRoot: string, decimals: number): ImageExample[] {
  const { images, annotations } = parseAnnotations('RefCOCO', expressionsSchema, raw);
  if (images.length !== annotations.length) {
    throw annotationError('RefCOCO', `a box for each of ${images.length} expressions`, `${annotations.length} boxes`);
  }
  return images.map((image, index) => {
    const { image_id: id, bbox } = annotations[index]!;
    if (id !== image.id) throw annotationError('RefCOCO', `the box of expression ${image.id}`, `that of ${id}`, bbox);
    const values = { phrase: image.caption, bbox: boxText(bbox, image, decimals) };
    return [posix.join(imageRoot, image.file_name), { values }];
  });
}

const imagesSchema = z.array(z.looseObject({ image_id: z.int().optional(), id: z.int().optional(), ...size }));

const regionsSchema = records({
  id: z.int(),
  regions: records({ image_id: z.int(), phrase: z.string(), x: z.number(), y: z.number(), ...size }),
});

/** Visual Genome's region descriptions, with the sizes of the images from a file of their own. */
export function visualGenomeExamples(
  raw: { images: unknown; regions: unknown },
  imageRoot: string,
  decimals: number,
): ImageExample[] {
  const images = parseAnnotations('Visual Genome', imagesSchema, raw.images);
  const sizes = new Map(images.map((image) => [image.image_id ?? image.id, image]));
  return parseAnnotations('Visual Genome', regionsSchema, raw.regions).flatMap(({ id, regions }) => {
    const image = sizes.get(id);
    if (image === undefined) throw annotationError('Visual Genome', `the size of image ${id}`, 'none');
    return regions.map(
      ({ x, y, width, height, phrase }): ImageExample => [
        posix.join(imageRoot, `${id}.jpg`),
        { values: { phrase, bbox: boxText([x, y, width, height], image, decimals) } },
      ],
    );
  });
}
