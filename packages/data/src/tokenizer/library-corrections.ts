import { ByteFallbackDecoder, type Tokenizer as HuggingFaceTokenizer, SequenceDecoder } from '@huggingface/tokenizers';
import { TokenizerError } from './tokenizer-error.js';
import type { TokenizerJson } from './tokenizer-files.js';

// `@huggingface/tokenizers` differs in these points from the Rust library of the same name, which published models were
// trained with. Each is corrected or refused here, and has the text that shows it in the tests.

/**
 * GPT-2's pattern, which a `ByteLevel` pre-tokenizer applies by itself. The library writes it as a JavaScript expression,
 * whose `\s` takes U+FEFF and leaves U+0085; given as a pattern of `Split`, white space is Unicode's.
 */
const BYTE_LEVEL_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Ways to cut text at a pattern that the library has; it takes any other for `isolated`. */
const KNOWN_SPLITS: ReadonlySet<string> = new Set(['isolated', 'removed']);

/**
 * The tokenizer.json that makes the library do what the original would, and the white space to remove from texts first:
 * added tokens with `lstrip` or `rstrip` swallow the white space beside them, for which the library uses JavaScript's
 * `trim`.
 *
 * @throws TokenizerError if the tokenizer needs something that the library silently leaves out
 */
export function correctTokenizerJson(json: TokenizerJson): { json: TokenizerJson; swallow: (text: string) => string } {
  const wholeWord = json.added_tokens.find((token) => token.single_word === true);
  if (wholeWord !== undefined) refuse('added tokens that are found anywhere', `single_word for ${wholeWord.content}`);
  const { pre_tokenizer: cut, model } = json;
  return {
    json: {
      ...json,
      added_tokens: json.added_tokens.map((token) => ({ ...token, lstrip: false, rstrip: false })),
      pre_tokenizer: isComponent(cut) ? correctPreTokenizer(cut, model.type === 'BPE') : cut,
      post_processor: correctPostProcessor(json.post_processor),
    },
    swallow: whiteSpaceSwallower(json.added_tokens),
  };
}

interface Component {
  readonly type: string;
  readonly [setting: string]: unknown;
}

function isComponent(value: unknown): value is Component {
  return typeof value === 'object' && value !== null && typeof (value as Component).type === 'string';
}

function correctPreTokenizer(component: Component, isBpe: boolean): Component {
  switch (component.type) {
    case 'Sequence': {
      const parts = Array.isArray(component.pretokenizers) ? component.pretokenizers : [];
      return {
        ...component,
        pretokenizers: parts.map((part) => (isComponent(part) ? correctPreTokenizer(part, isBpe) : part)),
      };
    }
    case 'ByteLevel': {
      if (component.use_regex === false) return component;
      const prefix = { type: 'Replace', pattern: { Regex: '\\A[^ ]' }, content: ' $&' };
      const split = { type: 'Split', pattern: { Regex: BYTE_LEVEL_PATTERN }, behavior: 'Isolated', invert: false };
      const bytes = { ...component, add_prefix_space: false, use_regex: false };
      return { type: 'Sequence', pretokenizers: [...(component.add_prefix_space ? [prefix] : []), split, bytes] };
    }
    case 'Split': {
      const behavior = String(component.behavior ?? 'isolated').toLowerCase();
      if (component.invert !== true && !KNOWN_SPLITS.has(behavior)) {
        refuse('text cut at a pattern that stands alone or is removed', `Split with ${component.behavior}`);
      }
      return component;
    }
    case 'Metaspace':
      // One word per space or the whole text makes no difference to a unigram model, whose pieces never span a space.
      if (isBpe && component.split !== false) refuse('a Metaspace that leaves the text whole', 'one that splits it');
      return component;
    default:
      return component;
  }
}

/** `ByteLevel` only changes offsets, which the library has not; there it drops the second of a pair of texts. */
function correctPostProcessor(component: unknown): unknown {
  if (!isComponent(component)) return component;
  if (component.type === 'ByteLevel') return null;
  if (component.type !== 'Sequence' || !Array.isArray(component.processors)) return component;
  const processors = component.processors.filter((part) => !isComponent(part) || part.type !== 'ByteLevel');
  return processors.length === 0 ? null : { ...component, processors };
}

function refuse(expected: string, received: string): never {
  throw new TokenizerError({
    operation: 'createTokenizer',
    expected,
    received,
    remedy: 'this tokenizer cannot be reproduced exactly; use the one of a supported model',
    value: received,
  });
}

/** Removes the white space that a token swallows on its left or right. */
function whiteSpaceSwallower(tokens: TokenizerJson['added_tokens']): (text: string) => string {
  const escaped = (side: 'lstrip' | 'rstrip') =>
    tokens.flatMap((token) => (token[side] === true ? [escapeRegExp(token.content)] : [])).join('|');
  const [left, right] = [escaped('lstrip'), escaped('rstrip')];
  const patterns = [
    ...(left === '' ? [] : [new RegExp(`\\p{White_Space}+(?=${left})`, 'gu')]),
    ...(right === '' ? [] : [new RegExp(`(?<=${right})\\p{White_Space}+`, 'gu')]),
  ];
  return (text) => patterns.reduce((rest, pattern) => rest.replace(pattern, ''), text);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&').replaceAll('\\-', '\\x2d');
}

/**
 * Decodes runs of byte tokens as the original does: a run that is not UTF-8 as a whole becomes one U+FFFD a byte, and a
 * byte order mark is text. The library's decoder replaces invalid parts only, and drops the mark.
 */
export function correctDecoder(tokenizer: HuggingFaceTokenizer): void {
  const { decoder } = tokenizer;
  for (const part of decoder instanceof SequenceDecoder ? decoder.decoders : [decoder]) {
    if (part instanceof ByteFallbackDecoder) part.decode_chain = decodeByteTokens;
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeByteTokens(tokens: string[]): string[] {
  const decoded: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) decoded.push(decodeUtf8(bytes));
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (byte !== undefined) {
      bytes.push(Number.parseInt(byte, 16));
    } else {
      flush();
      decoded.push(token);
    }
  }
  flush();
  return decoded;
}

function decodeUtf8(bytes: readonly number[]): string {
  try {
    return strictUtf8.decode(Uint8Array.from(bytes));
  } catch {
    return '\uFFFD'.repeat(bytes.length);
  }
}
