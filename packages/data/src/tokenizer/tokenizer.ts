import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { correctDecoder, correctTokenizerJson } from './library-corrections.js';
import { readTokenizerFiles } from './read-tokenizer-files.js';
import { TokenizerError } from './tokenizer-error.js';
import {
  parseTokenizerFiles,
  SPECIAL_TOKEN_NAMES,
  type SpecialTokenName,
  type TokenizerConfigJson,
  type TokenizerFiles,
  textOfToken,
} from './tokenizer-files.js';

export interface EncodeOptions {
  /** Whether the tokens are added that the tokenizer puts around a whole text, such as a bos. Default true. */
  readonly addSpecialTokens?: boolean;
  /** A second text, behind the first with the tokens that the tokenizer puts between two (RoBERTa: `</s></s>`). */
  readonly pair?: string;
}

export interface DecodeOptions {
  /** Whether special tokens are left out of the text. Default false. */
  readonly skipSpecialTokens?: boolean;
  /**
   * Whether the space in front of punctuation and English contractions is dropped. Default: what
   * `tokenizer_config.json` says, else not.
   */
  readonly cleanUpSpaces?: boolean;
}

/** Turns text into token ids and back. */
export interface Tokenizer {
  /** The rows that an embedding table needs: the highest id plus one. Published models may pad their tables beyond it. */
  readonly vocabularySize: number;
  /** Beginning of a sequence; undefined where the model has none (Qwen2). */
  readonly bosTokenId: number | undefined;
  /** End of an answer. */
  readonly eosTokenId: number | undefined;
  /** Padding; undefined where the model has none (LLaMA-2). */
  readonly padTokenId: number | undefined;
  /** What stands for text outside the vocabulary; undefined where every text is inside it. */
  readonly unknownTokenId: number | undefined;
  /** The marker `<image>`, where it is one token. */
  readonly imageTokenId: number | undefined;
  /** Texts of the special tokens by their names in `tokenizer_config.json`. */
  readonly specialTokens: Readonly<Partial<Record<SpecialTokenName, string>>>;
  /** Jinja templates of conversations by name; the usual one is `default`. */
  readonly chatTemplates: Readonly<Record<string, string>>;
  /**
   * Whether text behind a special token begins with a space of its own, as with the SentencePiece tokenizers of LLaMA-2
   * and its descendants unless they say `legacy: false`. The published label rules depend on it.
   */
  readonly legacy: boolean;
  /**
   * Special tokens that occur literally in the text are recognised as such.
   * @throws TokenizerError if a part of the text has no token at all
   */
  encode(text: string, options?: EncodeOptions): number[];
  /** @throws TokenizerError if an id lies outside the vocabulary */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  tokenToId(token: string): number | undefined;
  idToToken(id: number): string | undefined;
}

/**
 * Reads a tokenizer from a model's folder (see {@link readTokenizerFiles}), or from the parsed contents of its two files.
 * Encoding and decoding are done by `@huggingface/tokenizers`.
 *
 * @throws TokenizerError naming the file that is missing or malformed, and the remedy
 */
export async function loadTokenizer(source: string | TokenizerFiles): Promise<Tokenizer> {
  return createTokenizer(typeof source === 'string' ? await readTokenizerFiles(source) : source, {
    directory: typeof source === 'string' ? source : undefined,
  });
}

/**
 * Makes a tokenizer from the parsed contents of its two files.
 *
 * @throws TokenizerError if they do not describe a tokenizer
 */
export function createTokenizer(files: TokenizerFiles, options: { directory?: string | undefined } = {}): Tokenizer {
  const { tokenizerJson, tokenizerConfig } = parseTokenizerFiles(files, options.directory);
  const { json, swallow } = correctTokenizerJson(tokenizerJson);
  const inner = construct(json, tokenizerConfig, options.directory);
  correctDecoder(inner);
  const vocabulary = inner.get_vocab(true);
  let vocabularySize = 0;
  for (const id of vocabulary.values()) vocabularySize = Math.max(vocabularySize, id + 1);
  const { texts, ids } = specialTokensOf(tokenizerConfig, inner);

  return {
    vocabularySize,
    bosTokenId: ids.bos_token,
    eosTokenId: ids.eos_token,
    padTokenId: ids.pad_token,
    unknownTokenId: ids.unk_token,
    imageTokenId: ids.image_token ?? inner.token_to_id('<image>'),
    specialTokens: texts,
    chatTemplates: chatTemplatesOf(tokenizerConfig),
    legacy: tokenizerConfig.legacy ?? true,
    tokenToId: (token) => inner.token_to_id(token),
    idToToken: (id) => inner.id_to_token(id),

    encode(text, { addSpecialTokens = true, pair } = {}) {
      const { ids: encoded } = inner.encode(swallow(text), {
        add_special_tokens: addSpecialTokens,
        text_pair: pair === undefined ? null : swallow(pair),
      });
      // The library leaves a hole where neither a token nor an unknown token exists.
      if (encoded.some((id) => id === undefined)) {
        throw new TokenizerError({
          operation: 'Tokenizer.encode',
          expected: 'text that the vocabulary covers',
          received: JSON.stringify(text),
          remedy: 'use a tokenizer with byte fallback or an unknown token',
          value: text,
        });
      }
      return encoded;
    },

    decode(tokens, { skipSpecialTokens = false, cleanUpSpaces } = {}) {
      const list = Array.from(tokens);
      for (const id of list) {
        if (inner.id_to_token(id) === undefined) {
          throw new TokenizerError({
            operation: 'Tokenizer.decode',
            expected: `ids between 0 and ${vocabularySize - 1}`,
            received: String(id),
            remedy:
              'exclude the padded rows of the output table from the choice of tokens, and labels of -100 from the ids',
            value: id,
          });
        }
      }
      // The library refuses an empty list, and cleans up unless it is told not to.
      return list.length === 0
        ? ''
        : inner.decode(list, {
            skip_special_tokens: skipSpecialTokens,
            clean_up_tokenization_spaces: cleanUpSpaces ?? tokenizerConfig.clean_up_tokenization_spaces ?? false,
          });
    },
  };
}

function specialTokensOf(config: TokenizerConfigJson, inner: HuggingFaceTokenizer) {
  const texts: Partial<Record<SpecialTokenName, string>> = {};
  const ids: Partial<Record<SpecialTokenName, number>> = {};
  for (const name of SPECIAL_TOKEN_NAMES) {
    const content = textOfToken(config[name]);
    if (content === undefined) continue;
    const id = inner.token_to_id(content);
    if (id === undefined) {
      throw new TokenizerError({
        operation: 'createTokenizer',
        expected: `${name} of tokenizer_config.json to be in the vocabulary of tokenizer.json`,
        received: JSON.stringify(content),
        remedy: 'take both files from the same checkpoint',
        value: content,
      });
    }
    texts[name] = content;
    ids[name] = id;
  }
  return { texts, ids };
}

function chatTemplatesOf({ chat_template: templates }: TokenizerConfigJson): Readonly<Record<string, string>> {
  if (templates === undefined || templates === null) return {};
  if (typeof templates === 'string') return { default: templates };
  if (Array.isArray(templates)) return Object.fromEntries(templates.map(({ name, template }) => [name, template]));
  return templates;
}

function construct(json: object, config: object, directory: string | undefined): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(json, config);
  } catch (cause) {
    throw new TokenizerError({
      operation: directory === undefined ? 'createTokenizer' : `load the tokenizer of ${directory}`,
      expected: 'components that @huggingface/tokenizers knows',
      received: (cause as Error).message,
      remedy: 'save the tokenizer again with a current version of the Hugging Face tokenizers library',
      cause,
    });
  }
}
