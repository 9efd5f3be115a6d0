import type { Batch } from '../collate/batch.js';
import { type CollateSample, collateTokens } from '../collate/collate.js';
import { tokenizeConversation } from '../collate/tokenize-conversation.js';
import type { TokenizedSample } from '../collate/tokenize-segments.js';
import type { Conversation } from '../conversation/conversation.js';
import type { ImageProcessor } from '../image/image-processor.js';
import type { PixelValues } from '../image/preprocess.js';
import type { ImageSize } from '../image/rgb-image.js';
import type { RandomKey } from '../random.js';
import { LoaderError } from './loader-error.js';
import type { ResolvedLoaderOptions } from './loader-options.js';
import type { SampleReference } from './sampler.js';
import { WorkerError } from './worker-pool.js';

/** Reads, tokenizes and collates the samples of one batch. */
export async function buildBatch(
  references: readonly SampleReference[],
  options: ResolvedLoaderOptions,
  readImage: (path: string) => Promise<PixelValues>,
  signal: AbortSignal,
  breathe: () => Promise<void>,
): Promise<Batch> {
  const pending: Promise<CollateSample>[] = [];
  for (const { dataset, index, key } of references) {
    await breathe();
    signal.throwIfAborted();
    const conversation = await readSample(dataset, index, key, signal);
    const tokens = tokenize(conversation, options);
    const sample = readPixels(conversation, tokens, readImage, signal);
    // Awaited below; until then a failure must not count as unhandled.
    sample.catch(() => undefined);
    pending.push(sample);
  }
  const samples = await Promise.all(pending);
  await breathe();
  const { batch, pixels } = collateTokens(samples, {
    ...options,
    imageSize: outputSize(options.imageProcessor),
  });
  const { images, height, width } = batch.shape;
  const imageLength = 3 * height * width;
  const pixelValues = new Float32Array(images * imageLength);
  for (const [image, { data }] of pixels.entries()) {
    await breathe();
    pixelValues.set(data, image * imageLength);
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

function tokenize(conversation: Conversation, options: ResolvedLoaderOptions): TokenizedSample {
  const { purpose, template, tokenizer, visualTokensPerImage, maximumLength } = options;
  return tokenizeConversation(conversation, conversation.template ?? template, tokenizer, {
    purpose,
    visualTokensPerImage,
    maximumLength,
    truncation: purpose === 'training' ? 'right' : 'error',
  });
}

async function readPixels(
  conversation: Conversation,
  tokens: TokenizedSample,
  readImage: (path: string) => Promise<PixelValues>,
  signal: AbortSignal,
): Promise<CollateSample> {
  const pixels = await Promise.all(
    tokens.images.map(async ({ image }) => {
      const file = conversation.images[image]!;
      try {
        return await readImage(file);
      } catch (cause) {
        signal.throwIfAborted();
        throw new LoaderError({
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
      }
    }),
  );
  return { ...tokens, pixels };
}

/** The size of every image of a processor, where it has a fixed one. */
function outputSize({ pad, crop, resize, padToSquare }: ImageProcessor): ImageSize | undefined {
  if (pad !== null) return pad;
  if (crop !== null) return crop;
  if (resize === null) return undefined;
  if ('width' in resize) return resize;
  const side = 'shortestEdge' in resize ? resize.shortestEdge : resize.longestEdge;
  return padToSquare ? { width: side, height: side } : undefined;
}
