import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { TokenizerError } from './tokenizer-error.js';
import { parseTokenizerFiles, readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.js';

export interface EncodeOptions {
  /** Whether the tokens are added that the tokenizer puts around a whole text, such as a bos. Default true. */
  readonly addSpecialTokens?: boolean;
}

export interface DecodeOptions {
  /** Whether special tokens are left out of the text. Default false. */
  readonly skipSpecialTokens?: boolean;
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
 * Reads a tokenizer from a directory with `tokenizer.json` and `tokenizer_config.json`, or from their parsed contents.
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
  const inner = construct(tokenizerJson, tokenizerConfig, options.directory);
  const vocabulary = inner.get_vocab(true);
  let vocabularySize = 0;
  for (const id of vocabulary.values()) vocabularySize = Math.max(vocabularySize, id + 1);

  const special = (name: 'bos_token' | 'eos_token' | 'pad_token' | 'unk_token' | 'image_token'): number | undefined => {
    const token = tokenizerConfig[name];
    if (token === null || token === undefined) return undefined;
    const content = typeof token === 'string' ? token : token.content;
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
    return id;
  };

  return {
    vocabularySize,
    bosTokenId: special('bos_token'),
    eosTokenId: special('eos_token'),
    padTokenId: special('pad_token'),
    unknownTokenId: special('unk_token'),
    imageTokenId: special('image_token') ?? inner.token_to_id('<image>'),
    tokenToId: (token) => inner.token_to_id(token),
    idToToken: (id) => inner.id_to_token(id),

    encode(text, { addSpecialTokens = true } = {}) {
      const { ids } = inner.encode(text, { add_special_tokens: addSpecialTokens });
      // The library leaves a hole where neither a token nor an unknown token exists.
      if (ids.some((id) => id === undefined)) {
        throw new TokenizerError({
          operation: 'Tokenizer.encode',
          expected: 'text that the vocabulary covers',
          received: JSON.stringify(text),
          remedy: 'use a tokenizer with byte fallback or an unknown token',
          value: text,
        });
      }
      return ids;
    },

    decode(ids, { skipSpecialTokens = false } = {}) {
      const list = Array.from(ids);
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
      // The library refuses an empty list.
      return list.length === 0 ? '' : inner.decode(list, { skip_special_tokens: skipSpecialTokens });
    },
  };
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
