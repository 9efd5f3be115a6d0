import type { SentencePiece, SentencePieceModel } from './sentencepiece-model.js';
import { templateProcessor } from './template-processor.js';
import { TokenizerError } from './tokenizer-error.js';
import type { TokenizerConfigJson, TokenizerJson } from './tokenizer-files.js';

/** SentencePiece writes a space as this character. */
const SPACE = '\u2581';

export interface ConvertOptions {
  /** Names the model in errors. */
  readonly file: string;
  /**
   * Whether a space is put in front of every piece of text between special tokens (LLaMA-2 and its descendants; default
   * true), or in front of the whole text only.
   */
  readonly legacy?: boolean;
  /** Special tokens by their names in `tokenizer_config.json`; those that are missing are the model's own. */
  readonly config?: TokenizerConfigJson;
}

/**
 * The `tokenizer.json` that encodes like a SentencePiece BPE model: pairs are merged in the order of the scores of what
 * they become, and characters without a piece become bytes.
 *
 * @returns the contents of both files of a tokenizer; the configuration gains the model's special tokens
 * @throws TokenizerError if the model is not BPE, or replaces characters before encoding
 */
export function convertSentencePieceModel(
  model: SentencePieceModel,
  options: ConvertOptions,
): { tokenizerJson: TokenizerJson; tokenizerConfig: TokenizerConfigJson } {
  const { legacy = true, file } = options;
  refuseUnsupported(model, file);
  const { pieces } = model;
  const special = {
    unk_token: pieces[model.unknownId]?.piece,
    bos_token: pieces[model.bosId]?.piece,
    eos_token: pieces[model.eosId]?.piece,
    pad_token: pieces[model.padId]?.piece,
  };
  const known = Object.fromEntries(Object.entries(special).filter(([, piece]) => piece !== undefined));
  const tokenizerConfig: TokenizerConfigJson = {
    ...known,
    clean_up_tokenization_spaces: false,
    ...options.config,
    legacy,
  };
  const addsBos = tokenizerConfig.add_bos_token !== false;
  const addsEos = tokenizerConfig.add_eos_token === true;
  const idOf = (token: string) => pieces.findIndex(({ piece }) => piece === token);
  const textOf = (token: TokenizerConfigJson['bos_token']) => (typeof token === 'string' ? token : token?.content);
  const around = (token: string | undefined, wanted: boolean) =>
    wanted && token !== undefined && idOf(token) >= 0 ? { token, id: idOf(token) } : undefined;

  const tokenizerJson: TokenizerJson = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: pieces.flatMap(({ piece, type }, id) =>
      type === 'unknown' || type === 'control' || type === 'user-defined'
        ? [{ id, content: piece, ...unstripped, special: type !== 'user-defined' }]
        : [],
    ),
    normalizer: normalizer(model, legacy),
    pre_tokenizer: legacy
      ? null
      : {
          type: 'Metaspace',
          replacement: SPACE,
          prepend_scheme: model.addDummyPrefix ? 'first' : 'never',
          split: false,
        },
    post_processor: templateProcessor({
      bos: around(textOf(tokenizerConfig.bos_token), addsBos),
      eos: around(textOf(tokenizerConfig.eos_token), addsEos),
    }),
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(model.addDummyPrefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: pieces[model.unknownId]?.piece ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: model.byteFallback,
      ignore_merges: false,
      vocab: Object.fromEntries(pieces.map(({ piece }, id) => [piece, id])),
      merges: mergesOf(pieces),
    },
  };
  return { tokenizerJson, tokenizerConfig };
}

const unstripped = { single_word: false, lstrip: false, rstrip: false, normalized: false } as const;

function refuseUnsupported({ modelType, hasCharacterMap, pieces }: SentencePieceModel, file: string): void {
  const fail = (expected: string, received: string): never => {
    throw new TokenizerError({
      operation: `read ${file}`,
      expected,
      received,
      remedy: 'convert the tokenizer first: load it with AutoTokenizer, then save_pretrained writes a tokenizer.json',
      file,
    });
  };
  if (modelType !== 'bpe') fail('a byte-pair encoding model', `a ${modelType} model`);
  if (hasCharacterMap) fail('a model that takes text as it is', 'one that replaces characters');
  const unused = pieces.find(({ type }) => type === 'unused');
  if (unused !== undefined) fail('pieces that are all in use', `the unused piece ${JSON.stringify(unused.piece)}`);
  const seen = new Set<string>();
  const repeated = pieces.find(({ piece }) => seen.size === seen.add(piece).size);
  if (repeated !== undefined) fail('distinct pieces', `${JSON.stringify(repeated.piece)} twice`);
}

/** Spaces become {@link SPACE}; the legacy form also puts one in front of every piece of text. */
function normalizer({ addDummyPrefix, removeExtraWhitespaces }: SentencePieceModel, legacy: boolean): unknown {
  const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });
  const cleaned = removeExtraWhitespaces
    ? [replace({ Regex: '\\A +| +\\z' }, ''), replace({ Regex: ' {2,}' }, ' ')]
    : [];
  // Where spaces are dropped, nothing may be left, and nothing is put in front of nothing.
  const prefix = removeExtraWhitespaces
    ? replace({ Regex: '\\A(?=[\\s\\S])' }, SPACE)
    : { type: 'Prepend', prepend: SPACE };
  const marked = [...(addDummyPrefix ? [prefix] : []), replace({ String: ' ' }, SPACE)];
  const normalizers = legacy ? [...cleaned, ...marked] : cleaned;
  return normalizers.length === 0 ? null : { type: 'Sequence', normalizers };
}

/**
 * Every way to put a piece together from two others, best piece first. Ways to the same piece are in the order in which
 * SentencePiece would find them in the text, from the left.
 */
function mergesOf(pieces: readonly SentencePiece[]): [string, string][] {
  const mergeable = new Set(pieces.flatMap(({ piece, type }) => (type === 'normal' ? [piece] : [])));
  return pieces
    .filter(({ type }) => type === 'normal')
    .sort((a, b) => b.score - a.score)
    .flatMap(({ piece }) => {
      const characters = Array.from(piece);
      const ways: [string, string][] = [];
      for (let at = characters.length - 1; at > 0; at--) {
        const [left, right] = [characters.slice(0, at).join(''), characters.slice(at).join('')];
        if (mergeable.has(left) && mergeable.has(right)) ways.push([left, right]);
      }
      return ways;
    });
}
