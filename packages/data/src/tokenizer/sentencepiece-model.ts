import { protobufFields } from './protobuf-fields.js';
import { TokenizerError } from './tokenizer-error.js';

/** What a piece is, by its number in the file. */
const PIECE_TYPES = ['', 'normal', 'unknown', 'control', 'user-defined', 'unused', 'byte'] as const;

/** One entry of a SentencePiece vocabulary; its id is its place. */
export interface SentencePiece {
  readonly piece: string;
  /** Pairs with the highest score are merged first. */
  readonly score: number;
  readonly type: Exclude<(typeof PIECE_TYPES)[number], ''>;
}

/** The contents of a `tokenizer.model` of SentencePiece, as far as encoding needs them. */
export interface SentencePieceModel {
  readonly pieces: readonly SentencePiece[];
  readonly modelType: 'unigram' | 'bpe' | 'word' | 'char';
  readonly byteFallback: boolean;
  /** Ids of the special pieces; −1 where there is none. */
  readonly unknownId: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly padId: number;
  /** Whether a space is put in front of the text. */
  readonly addDummyPrefix: boolean;
  /** Whether leading, trailing and repeated spaces are dropped. */
  readonly removeExtraWhitespaces: boolean;
  /** Whether the file holds a table of characters to replace. */
  readonly hasCharacterMap: boolean;
}

const MODEL_TYPES = ['', 'unigram', 'bpe', 'word', 'char'] as const;

/**
 * Reads a `tokenizer.model` (SentencePiece's `ModelProto`).
 *
 * @param file names it in errors
 * @throws TokenizerError if the bytes are cut short, are no such model, or hold no or unknown pieces
 */
export function parseSentencePieceModel(bytes: Uint8Array, file: string): SentencePieceModel {
  try {
    return parse(bytes);
  } catch (cause) {
    throw new TokenizerError({
      operation: `read ${file}`,
      expected: 'a SentencePiece model',
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'the file is cut short or another one (a Git LFS pointer, for example): fetch it again',
      file,
      cause,
    });
  }
}

function parse(bytes: Uint8Array): SentencePieceModel {
  const pieces: SentencePiece[] = [];
  // Defaults of the format.
  const model = {
    modelType: 'unigram' as SentencePieceModel['modelType'],
    byteFallback: false,
    unknownId: 0,
    bosId: 1,
    eosId: 2,
    padId: -1,
    addDummyPrefix: true,
    removeExtraWhitespaces: true,
    hasCharacterMap: false,
  };
  for (const { number, value } of protobufFields(bytes)) {
    if (number === 1) pieces.push(parsePiece(message(value), pieces.length));
    if (number === 2) {
      for (const { number: field, value: setting } of protobufFields(message(value))) {
        if (field === 3) model.modelType = named(MODEL_TYPES, setting, 'model type');
        if (field === 35) model.byteFallback = setting !== 0;
        if (field === 40) model.unknownId = Number(setting);
        if (field === 41) model.bosId = Number(setting);
        if (field === 42) model.eosId = Number(setting);
        if (field === 43) model.padId = Number(setting);
      }
    }
    if (number === 3) {
      for (const { number: field, value: setting } of protobufFields(message(value))) {
        if (field === 2) model.hasCharacterMap = message(setting).length > 0;
        if (field === 3) model.addDummyPrefix = setting !== 0;
        if (field === 4) model.removeExtraWhitespaces = setting !== 0;
      }
    }
  }
  if (pieces.length === 0) throw new RangeError('no pieces');
  return { pieces, ...model };
}

function parsePiece(bytes: Uint8Array, id: number): SentencePiece {
  let piece: string | undefined;
  let score = 0;
  let type: SentencePiece['type'] = 'normal';
  for (const { number, value } of protobufFields(bytes)) {
    if (number === 1) piece = utf8.decode(message(value));
    if (number === 2) score = Number(value);
    if (number === 3) type = named(PIECE_TYPES, value, 'type of piece');
  }
  if (piece === undefined || piece === '') throw new RangeError(`piece ${id} without a text`);
  if (!Number.isFinite(score)) throw new RangeError(`piece ${id} with the score ${score}`);
  return { piece, score, type };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function message(value: number | Uint8Array): Uint8Array {
  if (typeof value === 'number') throw new RangeError('a number in place of a message');
  return value;
}

function named<Name extends string>(names: readonly ['', ...Name[]], value: number | Uint8Array, what: string): Name {
  const name = typeof value === 'number' ? names[value] : undefined;
  if (name === undefined || name === '') throw new RangeError(`the unknown ${what} ${value}`);
  return name as Name;
}
