import { readFile } from 'node:fs/promises';
import {
  type ImageProcessor,
  imageProcessorFromHuggingFace,
  preprocessImage,
  solidImage,
  squashImageProcessor,
} from '@ocelli/data';
import { stageImages } from '@ocelli/vlm';
import { heed, heedLater, type Refuse } from './refuse.js';

/** Processors that have a name: see `stageImages` of `@ocelli/vlm`. */
export const namedProcessors = ['pad', 'crop', 'squash'] as const;

/** Whether a text names a processor, and no file. */
export function isNamedProcessor(text: string): text is (typeof namedProcessors)[number] {
  return (namedProcessors as readonly string[]).includes(text);
}

/**
 * How images become pixels of an encoder.
 *
 * @param given the processor, its name, or the path of a `preprocessor_config.json`. Default: straight to the size, normalised as
 *   CLIP's
 * @param side in pixels of the images that the encoder is made for
 * @throws ConfigError that names the key, if the file is none, or makes images of another size
 */
export async function readImageProcessor(
  given: string | ImageProcessor | undefined,
  side: number,
  { key, refuse }: { readonly key: string; readonly refuse: Refuse },
): Promise<ImageProcessor> {
  if (given === undefined) return squashImageProcessor(side);
  if (typeof given === 'string' && isNamedProcessor(given)) return stageImages(given, side).imageProcessor;
  const processor =
    typeof given === 'string'
      ? await heedLater(refuse, key, async () =>
          imageProcessorFromHuggingFace(JSON.parse(await readFile(given, 'utf8'))),
        )
      : given;
  for (const [width, height] of [
    [2 * side, side],
    [side, 2 * side],
  ] as const) {
    const made = heed(refuse, key, () => preprocessImage(solidImage({ width, height }, [0, 0, 0]), processor));
    if (made.height === side && made.width === side) continue;
    throw refuse(key, {
      expected: `a processor that makes images of ${side} × ${side} pixels, as the encoder takes`,
      received: `one that makes ${made.height} × ${made.width} of ${height} × ${width}`,
      remedy: 'Correct its sizes, or imageSize of the encoder.',
    });
  }
  return processor;
}
