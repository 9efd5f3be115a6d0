import type { Segment, TextSegment } from '../conversation/segment.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { CollationError } from './collation-error.js';

/** Label of a position that is no target of the loss (PyTorch's `ignore_index`). */
export const IGNORE_LABEL = -100;

/** Token id of a position that an image fills. */
export const VISUAL_TOKEN = -1;

/** What {@link tokenizeSegments} needs of a tokenizer. */
export type SegmentTokenizer = Pick<Tokenizer, 'encode' | 'bosTokenId' | 'eosTokenId' | 'imageTokenId' | 'idToToken'>;

export interface TokenizeOptions {
  /** Names the sample in errors. */
  readonly sampleId: string;
  /** Positions an image takes: of every image, or of each image of the conversation. */
  readonly visualTokensPerImage: number | readonly number[];
  /** Longest sequence, bos included. Default: unlimited. */
  readonly maximumLength?: number;
  /** `right` (default) cuts a longer sequence, before an image rather than inside it; `error` refuses it. */
  readonly truncation?: 'right' | 'error';
  /** Whether the sequence begins with the tokenizer's bos, if it has one. Default true. */
  readonly addBos?: boolean;
  /** Texts of single tokens that are trained wherever they stand. Default: none. */
  readonly trainedMarks?: readonly string[];
}

/** The tokens of one sample. */
export interface TokenizedSample {
  readonly sampleId: string;
  /** [length]; {@link VISUAL_TOKEN} where an image is. */
  readonly inputIds: Int32Array;
  /** [length], not shifted; {@link IGNORE_LABEL} where nothing is trained. */
  readonly labels: Int32Array;
  /** The images that are left after truncation. */
  readonly images: readonly SampleImage[];
}

/** An image among tokens. */
export interface SampleImage {
  /** Its first position. */
  readonly start: number;
  /** Which image of the conversation it is. */
  readonly image: number;
  /** Positions it takes. Default: `visualTokensPerImage` of the collation. */
  readonly tokens?: number;
}

/**
 * Tokenizes rendered segments one by one, so that it is known of every token whether it is trained. A bos comes first
 * if the tokenizer has one.
 *
 * @throws CollationError naming the sample, if a segment has no tokens, its text spells out the image marker, an end
 * of sequence is asked for that the tokenizer lacks, a trained mark is no single token, or the sequence is too long and
 * must not be cut
 */
export function tokenizeSegments(
  segments: readonly Segment[],
  tokenizer: SegmentTokenizer,
  options: TokenizeOptions,
): TokenizedSample {
  const { sampleId, visualTokensPerImage, maximumLength = Number.POSITIVE_INFINITY, truncation = 'right' } = options;
  const marks = new Set(options.trainedMarks?.map((mark) => markId(mark, tokenizer, sampleId)));
  const inputIds: number[] = [];
  const labels: number[] = [];
  const images: SampleImage[] = [];
  if (tokenizer.bosTokenId !== undefined && (options.addBos ?? true)) {
    inputIds.push(tokenizer.bosTokenId);
    labels.push(IGNORE_LABEL);
  }

  let previous: Segment | undefined;
  for (const segment of segments) {
    if (segment.kind === 'image') {
      const tokens = tokensOf(segment.image, visualTokensPerImage, sampleId);
      const fits = inputIds.length + tokens <= maximumLength;
      if (!fits && truncation === 'right') break;
      const isUniform = typeof visualTokensPerImage === 'number';
      images.push({ start: inputIds.length, image: segment.image, ...(isUniform ? {} : { tokens }) });
      for (let position = 0; position < tokens; position++) {
        inputIds.push(VISUAL_TOKEN);
        labels.push(IGNORE_LABEL);
      }
    } else {
      const ids =
        segment.kind === 'end' ? [endId(tokenizer, sampleId)] : textIds(segment, previous, tokenizer, sampleId);
      for (const id of ids) {
        inputIds.push(id);
        labels.push(segment.trained || marks.has(id) ? id : IGNORE_LABEL);
      }
    }
    if (inputIds.length >= maximumLength && truncation === 'right') break;
    previous = segment;
  }

  if (inputIds.length > maximumLength && truncation === 'error') {
    throw new CollationError({
      operation: `tokenizeSegments (${sampleId})`,
      expected: `at most ${maximumLength} tokens`,
      received: String(inputIds.length),
      remedy: 'raise maximumLength, or shorten the prompt',
      sampleId,
      value: inputIds.length,
    });
  }
  const length = Math.min(inputIds.length, maximumLength);
  return {
    sampleId,
    inputIds: Int32Array.from(inputIds.slice(0, length)),
    labels: Int32Array.from(labels.slice(0, length)),
    images,
  };
}

function tokensOf(image: number, visualTokensPerImage: number | readonly number[], sampleId: string): number {
  if (typeof visualTokensPerImage === 'number') return visualTokensPerImage;
  const tokens = visualTokensPerImage[image];
  if (tokens !== undefined) return tokens;
  throw new CollationError({
    operation: `tokenizeSegments (${sampleId})`,
    expected: `the number of positions of image ${image}`,
    received: `those of ${visualTokensPerImage.length} images`,
    remedy: 'pass one number for each image of the conversation',
    sampleId,
    value: visualTokensPerImage,
  });
}

function endId(tokenizer: SegmentTokenizer, sampleId: string): number {
  if (tokenizer.eosTokenId !== undefined) return tokenizer.eosTokenId;
  throw new CollationError({
    operation: `tokenizeSegments (${sampleId})`,
    expected: 'a tokenizer with an end-of-sequence token, which the template puts after every answer',
    received: 'one without',
    remedy: 'set eos_token in tokenizer_config.json',
    sampleId,
  });
}

function markId(mark: string, tokenizer: SegmentTokenizer, sampleId: string): number {
  const ids = encode(tokenizer, mark);
  if (ids.length === 1) return ids[0]!;
  throw new CollationError({
    operation: `tokenizeSegments (${sampleId})`,
    expected: `one token for ${JSON.stringify(mark)}, which the template trains wherever it stands`,
    received: String(ids.length),
    remedy: "use the tokenizer of the template's model, or a template without trainedMarks",
    sampleId,
    value: mark,
  });
}

function textIds(
  segment: TextSegment,
  previous: Segment | undefined,
  tokenizer: SegmentTokenizer,
  sampleId: string,
): number[] {
  const context = segment.continues ? contextOf(previous, tokenizer) : '';
  const ids = context === '' ? encode(tokenizer, segment.text) : encodeContinuation(tokenizer, context, segment.text);
  const problem =
    ids.length === 0
      ? 'no token at all'
      : tokenizer.imageTokenId !== undefined && ids.includes(tokenizer.imageTokenId)
        ? 'the image marker spelled out'
        : ids.some((id) => id < 0)
          ? 'a negative token id'
          : undefined;
  if (problem === undefined) return ids;
  throw new CollationError({
    operation: `tokenizeSegments (${sampleId})`,
    expected: 'text that becomes at least one token and holds no image',
    received: `${problem}, for ${JSON.stringify(segment.text)}`,
    remedy: 'correct the text, or declare the image as a segment of its own',
    sampleId,
    value: segment.text,
  });
}

function encode(tokenizer: SegmentTokenizer, text: string): number[] {
  return tokenizer.encode(text, { addSpecialTokens: false });
}

/** The last character in front of a segment, or the end-of-sequence token. */
function contextOf(previous: Segment | undefined, tokenizer: SegmentTokenizer): string {
  if (previous?.kind === 'text') return Array.from(previous.text).at(-1)!;
  if (previous?.kind === 'end') return tokenizer.idToToken(tokenizer.eosTokenId!) ?? '';
  return '';
}

/**
 * The tokens a text has behind a context. SentencePiece tokenizers put a space in front of a text that stands alone,
 * but not of one that goes on. Where a token would cover the seam, the text is taken alone: so a model sees it when it
 * generates from the prompt.
 */
function encodeContinuation(tokenizer: SegmentTokenizer, context: string, text: string): number[] {
  const head = encode(tokenizer, context);
  const whole = encode(tokenizer, context + text);
  return head.every((id, index) => id === whole[index]) ? whole.slice(head.length) : encode(tokenizer, text);
}
