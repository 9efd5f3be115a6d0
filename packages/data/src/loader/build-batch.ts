import { allInOrder } from '../all-in-order.js';
import type { Batch } from '../collate/batch.js';
import { collateTokens } from '../collate/collate.js';
import { tokenizeConversation } from '../collate/tokenize-conversation.js';
import type { TokenizedSample } from '../collate/tokenize-segments.js';
import type { CollateSample } from '../collate/visual-tokens.js';
import type { Conversation } from '../conversation/conversation.js';
import type { ImageGrid } from '../grids/image-grid.js';
import { imageTokens } from '../grids/image-tokens.js';
import type { ImageProcessor } from '../image/image-processor.js';
import type { ImageSize } from '../image/rgb-image.js';
import type { TilePixels } from '../image/tiles.js';
import type { RandomKey } from '../random.js';
import type { ImageForm, ReadImage } from './image-reader.js';
import { LoaderError } from './loader-error.js';
import type { ResolvedLoaderOptions } from './loader-options.js';
import type { SampleReference } from './sampler.js';
import { WorkerError } from './worker-pool.js';

/** Reads, tokenizes and collates the samples of one batch. */
export async function buildBatch(
  references: readonly SampleReference[],
  options: ResolvedLoaderOptions,
  readImage: ReadImage,
  signal: AbortSignal,
  breathe: () => Promise<void>,
): Promise<Batch> {
  const pending: Promise<CollateSample>[] = [];
  for (const { dataset, index, key } of references) {
    await breathe();
    signal.throwIfAborted();
    const conversation = await readSample(dataset, index, key, signal);
    const sample =
      options.grid === undefined
        ? readPlain(conversation, options, readImage, signal)
        : readGrids(conversation, { ...options, grid: options.grid }, readImage, signal, breathe);
    // Awaited below; until then a failure must not count as unhandled.
    sample.catch(() => undefined);
    pending.push(sample);
  }
  const samples = await allInOrder(pending);
  await breathe();
  const { batch, pixels } = collateTokens(samples, {
    ...options,
    imageSize: outputSize(options.imageProcessor, options.grid?.tile),
  });
  const { images, height, width } = batch.shape;
  const inputLength = 3 * height * width;
  const pixelValues = new Float32Array(images * inputLength);
  let end = 0;
  for (const { data } of pixels) {
    for (let start = 0; start < data.length; start += inputLength) {
      await breathe();
      pixelValues.set(data.subarray(start, start + inputLength), end);
      end += inputLength;
    }
  }
  return { ...batch, pixelValues };
}

async function readSample(
  dataset: SampleReference['dataset'],
  index: number,
  key: RandomKey,
  signal: AbortSignal,
): Promise<Conversation> {
  try {
    return await dataset.get(index, key);
  } catch (cause) {
    signal.throwIfAborted();
    throw new LoaderError({
      operation: 'createLoader',
      expected: `sample ${index} of ${dataset.name}`,
      received: (cause as Error).message,
      remedy: 'correct or remove the sample',
      value: index,
      cause,
    });
  }
}

/** Every image takes the same number of positions: texts are tokenized while images are being read. */
async function readPlain(
  conversation: Conversation,
  options: ResolvedLoaderOptions,
  readImage: ReadImage,
  signal: AbortSignal,
): Promise<CollateSample> {
  const tokens = tokenize(conversation, options, options.visualTokensPerImage);
  const pixels = tokens.images.map(({ image }) => readPixels(conversation, image, 'plain', options, readImage, signal));
  return { ...tokens, pixels: await allInOrder(pixels) };
}

/** How many positions an image takes follows from its size: images come first. */
async function readGrids(
  conversation: Conversation,
  options: ResolvedLoaderOptions & { readonly grid: ImageGrid },
  readImage: ReadImage,
  signal: AbortSignal,
  breathe: () => Promise<void>,
): Promise<CollateSample> {
  const { grid, visualTokensPerImage } = options;
  const form = conversation.images.length > 1 && grid.severalImages === 'square' ? 'square' : 'tiles';
  const pixels = await allInOrder(
    conversation.images.map((_, image) => readPixels(conversation, image, form, options, readImage, signal)),
  );
  await breathe();
  const tokens = tokenize(
    conversation,
    options,
    pixels.map((each) => imageTokens(each, grid, visualTokensPerImage).tokens),
  );
  return { ...tokens, pixels: tokens.images.map(({ image }) => pixels[image]!) };
}

function tokenize(
  conversation: Conversation,
  options: ResolvedLoaderOptions,
  visualTokensPerImage: number | readonly number[],
): TokenizedSample {
  const { purpose, template, tokenizer, maximumLength } = options;
  return tokenizeConversation(conversation, conversation.template ?? template, tokenizer, {
    purpose,
    visualTokensPerImage,
    maximumLength,
    truncation: purpose === 'training' ? 'right' : 'error',
  });
}

async function readPixels(
  conversation: Conversation,
  image: number,
  form: ImageForm,
  { brokenImages, onBrokenImage }: ResolvedLoaderOptions,
  readImage: ReadImage,
  signal: AbortSignal,
): Promise<TilePixels> {
  const file = conversation.images[image]!;
  try {
    return await readImage(file, form);
  } catch (cause) {
    signal.throwIfAborted();
    const error = new LoaderError({
      operation: `createLoader (${conversation.id})`,
      expected: `to read the image ${file}`,
      received: (cause as Error).message,
      remedy:
        cause instanceof WorkerError
          ? 'check that the file is not huge, that memory is left, and that sharp runs here'
          : 'repair or remove the file',
      file,
      sampleId: conversation.id,
      cause,
    });
    // A worker that died says nothing about the image.
    if (brokenImages === 'error' || (cause as Error).name !== 'ImageError') throw error;
    onBrokenImage?.(error);
    return readImage(null, form);
  }
}

/** The size of every image of a processor, where it has a fixed one; tiles have, as they are squares. */
function outputSize({ pad, crop, resize, padToSquare }: ImageProcessor, tile?: number): ImageSize | undefined {
  if (pad !== null) return pad;
  if (crop !== null) return crop;
  if (resize === null) return tile === undefined ? undefined : { width: tile, height: tile };
  if ('width' in resize) return resize;
  const side = 'shortestEdge' in resize ? resize.shortestEdge : resize.longestEdge;
  return padToSquare || tile !== undefined ? { width: side, height: side } : undefined;
}
