import { ConfigError } from '@ocelli/core-tensor';
import {
  type Conversation,
  type ConversationTemplate,
  collate,
  decodeImage,
  type ImageProcessor,
  preprocessImage,
  type TemplateName,
  type Tokenizer,
  tokenizeConversation,
} from '@ocelli/data';
import { projectors } from '@ocelli/projectors';
import { toTensors, type VisionLanguageBatch } from './batch.js';
import type { VisionLanguageModel } from './vision-language-model.js';

/** A size in pixels. */
interface ImageSides {
  readonly height: number;
  readonly width: number;
}

/**
 * Positions that an image of any size takes in a sequence: what the projector makes of the encoder's map of it. For
 * encoders without positions, such as ConvNeXt, and projectors that take maps of any size.
 *
 * @throws ConfigError if the projector is made for square maps, or the image has less than one cell
 */
export function visualTokensOfImage(model: VisionLanguageModel, { height, width }: ImageSides): number {
  const { featureLayer } = model.config;
  const [rows, columns] = model.vision.featureGrid(
    height,
    width,
    featureLayer === undefined ? {} : { layer: featureLayer },
  );
  const { type } = model.projector.config;
  if (rows * columns > 0 && (rows === columns || projectors[type].places !== 'square')) {
    return model.projector.tokens(rows * columns);
  }
  throw new ConfigError({
    operation: 'visualTokensOfImage',
    expected: `an image whose map a ${type} takes`,
    received: `${height} × ${width} pixels, a map of ${rows} × ${columns}`,
    remedy: 'Enlarge or pad the image, or take a linear projector or an MLP.',
  });
}

export interface AnyAspectOptions {
  readonly tokenizer: Tokenizer;
  readonly template: TemplateName | ConversationTemplate;
  /** How images become pixels; of any size, if its `resize` keeps their aspect ratio and it neither pads nor crops. */
  readonly imageProcessor: ImageProcessor;
  /** Longest sequence, images included; a longer one is refused. */
  readonly maximumLength: number;
}

/**
 * The processor for images of any aspect ratio that goes with another one: the shortest edge gets so many pixels, nothing
 * is padded or cut off, values are normalised alike.
 */
export function anyAspectImageProcessor(processor: ImageProcessor, shortestEdge: number): ImageProcessor {
  return { ...processor, padToSquare: false, resize: { shortestEdge }, crop: null, pad: null };
}

/**
 * A question, as a batch of one, about an image that keeps its aspect ratio (ConvLLaVA, section 4.3; its code has no switch
 * for it). The number of visual tokens follows from the image and has no limit but the sequence's, and each number is a
 * program to compile. Models are trained on squares.
 *
 * @throws ConversationError, CollationError or ImageError that names the conversation or the image, if the sequence is too
 *   long, an image cannot be read, or several have different sizes
 * @throws ConfigError if the model does not take images of their size
 */
export async function prepareAnyAspect(
  model: VisionLanguageModel,
  conversation: Conversation,
  { tokenizer, template, imageProcessor, maximumLength }: AnyAspectOptions,
): Promise<VisionLanguageBatch> {
  const pixels = await Promise.all(
    conversation.images.map(async (file) => preprocessImage(await decodeImage(file), imageProcessor)),
  );
  const visualTokensPerImage = pixels[0] === undefined ? 1 : visualTokensOfImage(model, pixels[0]);
  const tokens = tokenizeConversation(conversation, template, tokenizer, {
    purpose: 'generation',
    visualTokensPerImage,
    maximumLength,
    truncation: 'error',
  });
  const batch = collate([{ ...tokens, pixels }], {
    visualTokensPerImage,
    padTokenId: tokenizer.padTokenId ?? tokenizer.unknownTokenId ?? tokenizer.eosTokenId ?? 0,
    buckets: 64,
    purpose: 'generation',
  });
  return toTensors(batch);
}
