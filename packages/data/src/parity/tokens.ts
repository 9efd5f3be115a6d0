import { compareExactly, type Fixture, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import { collate } from '../collate/collate.js';
import {
  type SegmentTokenizer,
  type TokenizedSample,
  tokenizeSegments,
  VISUAL_TOKEN,
} from '../collate/tokenize-segments.js';
import { segmentHoneybeePrompt } from '../conversation/honeybee-prompt.js';

/** The tokenizer of the reference's fixtures: a character is its code point plus ten. */
const toyTokenizer: SegmentTokenizer = {
  bosTokenId: 1,
  eosTokenId: 2,
  imageTokenId: undefined,
  encode: (text) => Array.from(text, (character) => character.codePointAt(0)! + 10),
  idToToken: (id) => (id === 2 ? '</s>' : id > 10 ? String.fromCodePoint(id - 10) : undefined),
};

interface EncodeCase {
  readonly prompt: string;
  readonly visual_tokens: number;
  readonly max_length: number | null;
  readonly no_eos: boolean;
  readonly input_ids: readonly number[];
  readonly labels: readonly number[];
}

interface BatchCase {
  readonly prompts: readonly string[];
  readonly visual_tokens: number;
  readonly arguments: {
    readonly padding: 'longest' | 'max_length';
    readonly padding_side: 'left' | 'right';
    readonly max_length?: number;
    readonly no_eos?: boolean;
  };
  readonly input_ids: readonly (readonly number[])[];
  readonly labels: readonly (readonly number[])[];
  readonly attention_mask: readonly (readonly number[])[];
  readonly seq_length: readonly number[];
}

function encode(
  prompt: string,
  options: { visualTokens: number; maximumLength?: number | undefined; hasEnd: boolean },
): TokenizedSample {
  const segments = segmentHoneybeePrompt(prompt);
  if (!options.hasEnd && segments.at(-1)?.kind === 'end') segments.pop();
  const { maximumLength, visualTokens } = options;
  return tokenizeSegments(segments, toyTokenizer, {
    sampleId: prompt,
    visualTokensPerImage: visualTokens,
    // The reference does not count the bos.
    ...(maximumLength === undefined ? {} : { maximumLength: maximumLength + 1 }),
  });
}

function checkEncoding(expected: EncodeCase, index: number): ParityResult {
  const { inputIds, labels } = encode(expected.prompt, {
    visualTokens: expected.visual_tokens,
    maximumLength: expected.max_length ?? undefined,
    hasEnd: !expected.no_eos,
  });
  const { input_ids, labels: expectedLabels } = expected;
  return compareExactly(
    { input_ids: [...inputIds], labels: [...labels] },
    { input_ids, labels: expectedLabels },
    `encode[${index}]`,
  );
}

function checkBatch(expected: BatchCase, index: number): ParityResult {
  const { padding, padding_side: side, max_length: maximumLength, no_eos: hasNoEnd = false } = expected.arguments;
  const samples = expected.prompts.map((prompt) => {
    const sample = encode(prompt, { visualTokens: expected.visual_tokens, maximumLength, hasEnd: !hasNoEnd });
    return { ...sample, pixels: sample.images.map(() => ({ data: new Float32Array(3), height: 1, width: 1 })) };
  });
  const batch = collate(samples, {
    visualTokensPerImage: expected.visual_tokens,
    padTokenId: 0,
    buckets: padding === 'longest' ? 1 : [maximumLength! + 1],
    purpose: 'generation',
    padding: side,
  });
  const { length } = batch.shape;
  const rows = (values: ArrayLike<number>) =>
    expected.prompts.map((_prompt, row) => Array.from({ length }, (_cell, column) => values[row * length + column]!));
  const computed = {
    input_ids: rows(batch.inputIds.map((id, cell) => (batch.plan[cell] === cell ? id : VISUAL_TOKEN))),
    labels: rows(batch.labels),
    attention_mask: rows(batch.attentionMask),
    seq_length: [...batch.lengths],
  };
  const { input_ids, labels, attention_mask, seq_length } = expected;
  return compareExactly(computed, { input_ids, labels, attention_mask, seq_length }, `batch[${index}]`);
}

async function checkTokens({ config }: Fixture): Promise<ParityResult> {
  const { encode: encodings, batch } = config as {
    readonly encode: readonly EncodeCase[];
    readonly batch: readonly BatchCase[];
  };
  return worstOf([...encodings.map(checkEncoding), ...batch.map(checkBatch)]);
}

/** From prompts to batches of token ids. */
export const tokenChecks: ParityChecks = { 'honeybee/tokens': checkTokens };
