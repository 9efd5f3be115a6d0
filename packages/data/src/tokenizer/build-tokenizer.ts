import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { firstIssue } from '../data-error.js';
import { trainMerges } from './bpe-trainer.js';
import { BYTE_ALPHABET } from './byte-alphabet.js';
import { TokenizerError } from './tokenizer-error.js';
import type { TokenizerConfigJson, TokenizerFiles, TokenizerJson } from './tokenizer-files.js';

/** Texts of the special tokens, in the order of their ids: 0, 1, 2, 3. */
export interface SpecialTokens {
  readonly pad: string;
  readonly bos: string;
  readonly eos: string;
  readonly image: string;
}

export const DEFAULT_SPECIAL_TOKENS: SpecialTokens = { pad: '<pad>', bos: '<s>', eos: '</s>', image: '<image>' };

export interface BuildTokenizerOptions {
  /** Upper limit of the number of tokens: special tokens, the 256 bytes and learned ones. */
  readonly vocabularySize: number;
  readonly specialTokens?: Partial<SpecialTokens>;
  /** Further special tokens; their ids follow those of {@link SpecialTokens}. */
  readonly additionalSpecialTokens?: readonly string[];
  /** Pairs of symbols seen less often than this never become a token. Default 2. */
  readonly minimumFrequency?: number;
}

const optionsSchema = z.strictObject({
  vocabularySize: z.int().positive(),
  specialTokens: z
    .strictObject({ pad: z.string().min(1), bos: z.string().min(1), eos: z.string().min(1), image: z.string().min(1) })
    .partial()
    .optional(),
  additionalSpecialTokens: z.array(z.string().min(1)).optional(),
  minimumFrequency: z.int().positive().optional(),
});

/** Qwen2's pre-tokenization: words with the character before them, single digits, runs of punctuation, white space. */
const PRE_TOKEN_PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/**
 * Trains a byte-level BPE tokenizer. Every byte is a token, so any text can be encoded and decodes to itself; nothing
 * is normalised. The same texts in any order give the same tokenizer. Encoding a whole text puts a bos in front of it.
 *
 * Ids: special tokens from 0, then the bytes in increasing order, then learned tokens in the order of their merges.
 *
 * @param texts what the vocabulary is learned from; special tokens in them are skipped
 * @returns the contents of `tokenizer.json` and `tokenizer_config.json`, which any Hugging Face library reads
 * @throws TokenizerError if an option is invalid, two special tokens are equal, or the vocabulary is too small
 */
export function buildTokenizer(texts: Iterable<string>, options: BuildTokenizerOptions): TokenizerFiles {
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) {
    throw new TokenizerError({
      operation: 'buildTokenizer',
      expected: 'valid options',
      received: firstIssue(parsed.error),
      remedy: 'correct the named option',
      value: options,
    });
  }
  const special: SpecialTokens = { ...DEFAULT_SPECIAL_TOKENS, ...options.specialTokens };
  const specialTokens = [
    special.pad,
    special.bos,
    special.eos,
    special.image,
    ...(options.additionalSpecialTokens ?? []),
  ];
  checkSpecialTokens(specialTokens, options.vocabularySize);

  const tokens = [...specialTokens, ...BYTE_ALPHABET];
  const newSymbols = options.vocabularySize - tokens.length;
  const merges = trainMerges(countPreTokens(texts, specialTokens), newSymbols, options.minimumFrequency ?? 2);
  const vocabulary = new Set(tokens);
  for (const [left, right] of merges) vocabulary.add(left + right);
  return {
    tokenizerJson: tokenizerJson([...vocabulary], merges, specialTokens, special.bos),
    tokenizerConfig: tokenizerConfig(special, options.additionalSpecialTokens ?? []),
  };
}

function checkSpecialTokens(specialTokens: readonly string[], vocabularySize: number): void {
  const duplicate = specialTokens.find((token, index) => specialTokens.indexOf(token) !== index);
  if (duplicate !== undefined) {
    throw new TokenizerError({
      operation: 'buildTokenizer',
      expected: 'distinct special tokens',
      received: `${JSON.stringify(duplicate)} twice`,
      remedy: 'give each special token its own text',
      value: duplicate,
    });
  }
  const smallest = specialTokens.length + BYTE_ALPHABET.length;
  if (vocabularySize < smallest) {
    throw new TokenizerError({
      operation: 'buildTokenizer',
      expected: `a vocabularySize of at least ${smallest} (${specialTokens.length} special tokens and 256 bytes)`,
      received: String(vocabularySize),
      remedy: 'raise vocabularySize',
      value: vocabularySize,
    });
  }
}

/** How often each pre-token occurs. The library's own pre-tokenizer cuts the texts, exactly as it will when encoding. */
function countPreTokens(texts: Iterable<string>, specialTokens: readonly string[]): Map<string, number> {
  const library = new HuggingFaceTokenizer(tokenizerJson(BYTE_ALPHABET, [], [], undefined), {});
  const boundary = new RegExp(specialTokens.map((token) => token.replace(/[^\p{L}\p{N}]/gu, '\\$&')).join('|'), 'g');
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const piece of text.split(boundary)) {
      if (piece === '') continue;
      for (const word of library.pre_tokenizer!.pre_tokenize(piece)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}

function tokenizerJson(
  tokens: readonly string[],
  merges: readonly (readonly [string, string])[],
  specialTokens: readonly string[],
  bos: string | undefined,
): TokenizerJson {
  const sequence = { Sequence: { id: 'A', type_id: 0 } };
  const pair = { Sequence: { id: 'B', type_id: 1 } };
  const marker = { SpecialToken: { id: bos, type_id: 0 } };
  const bosId = bos === undefined ? -1 : tokens.indexOf(bos);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: PRE_TOKEN_PATTERN }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor:
      bos === undefined
        ? null
        : {
            type: 'TemplateProcessing',
            single: [marker, sequence],
            pair: [marker, sequence, pair],
            special_tokens: { [bos]: { id: bos, ids: [bosId], tokens: [bos] } },
          },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      // Object.fromEntries defines every key as its own, also "__proto__".
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map(([left, right]) => [left, right]),
    },
  };
}

function tokenizerConfig(special: SpecialTokens, additional: readonly string[]): TokenizerConfigJson {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    pad_token: special.pad,
    bos_token: special.bos,
    eos_token: special.eos,
    image_token: special.image,
    additional_special_tokens: [special.image, ...additional],
    add_bos_token: true,
    add_eos_token: false,
    clean_up_tokenization_spaces: false,
  };
}
