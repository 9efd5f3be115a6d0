import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { convertSentencePieceModel } from '../../src/tokenizer/convert-sentencepiece.js';
import { parseSentencePieceModel } from '../../src/tokenizer/sentencepiece-model.js';
import { createTokenizer, type Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { TokenizerError } from '../../src/tokenizer/tokenizer-error.js';
import type { TokenizerConfigJson } from '../../src/tokenizer/tokenizer-files.js';
import { type ModelParts, message, modelFile } from './sentencepiece-writer.js';

const file = fileURLToPath(new URL('../fixtures/backbones/tokenizers/llama_legacy/tokenizer.model', import.meta.url));

const SPECIAL = [
  ['<unk>', 0, 'unknown'],
  ['<s>', 0, 'control'],
  ['</s>', 0, 'control'],
] as const;

const LETTERS = ['▁', 'a', 'b'].map((piece, index) => [piece, -100 - index] as const);

function tokenizerOf(parts: ModelParts, options: { legacy?: boolean; config?: TokenizerConfigJson } = {}): Tokenizer {
  const model = parseSentencePieceModel(modelFile(parts), 'tokenizer.model');
  return createTokenizer(convertSentencePieceModel(model, { file: 'tokenizer.model', ...options }));
}

const tokensOf = (tokenizer: Tokenizer, text: string) => tokenizer.encode(text).map((id) => tokenizer.idToToken(id));

describe('a SentencePiece model', () => {
  it('is read with its settings', () => {
    const model = parseSentencePieceModel(readFileSync(file), file);
    expect(model.pieces).toHaveLength(406);
    expect(model.pieces[260]).toEqual({ piece: 'he', score: -1, type: 'normal' });
    expect(model.pieces[3]).toMatchObject({ piece: '<0x00>', type: 'byte' });
    expect(model).toMatchObject({
      modelType: 'bpe',
      byteFallback: true,
      unknownId: 0,
      bosId: 1,
      eosId: 2,
      padId: -1,
      addDummyPrefix: true,
      removeExtraWhitespaces: false,
      hasCharacterMap: false,
    });
  });

  it('merges the pair with the highest score first, whatever the ids say', () => {
    const pieces = [...SPECIAL, ...LETTERS, ['ab', -2], ['ba', -1]] as const;
    expect(tokensOf(tokenizerOf({ pieces }), 'aba')).toEqual(['<s>', '▁', 'a', 'ba']);
    const swapped = [...SPECIAL, ...LETTERS, ['ab', -1], ['ba', -2]] as const;
    expect(tokensOf(tokenizerOf({ pieces: swapped }), 'aba')).toEqual(['<s>', '▁', 'ab', 'a']);
  });

  it('never makes special tokens or bytes from the letters that spell them', () => {
    const pieces = [...SPECIAL, ...LETTERS, ['<', -3], ['0x61>', -4], ['<0x61>', 0, 'byte']] as const;
    const tokenizer = tokenizerOf({ pieces });
    expect(tokensOf(tokenizer, 'a</s>')).toEqual(['<s>', '▁', 'a', '</s>']);
    expect(tokensOf(tokenizer, '<0x61>')).not.toContain('<0x61>');
  });

  it('puts a space in front of every text between special tokens, of the first one alone, or of none', () => {
    const pieces = [...SPECIAL, ...LETTERS, ['▁a', -1]] as const;
    const text = 'a</s>a';
    expect(tokensOf(tokenizerOf({ pieces }), text)).toEqual(['<s>', '▁a', '</s>', '▁a']);
    expect(tokensOf(tokenizerOf({ pieces }, { legacy: false }), text)).toEqual(['<s>', '▁a', '</s>', 'a']);
    const bare = tokenizerOf({ pieces, normalizer: [[3, 0], [4, 0]] }); // biome-ignore format: pairs
    expect(tokensOf(bare, text)).toEqual(['<s>', 'a', '</s>', 'a']);
    expect(bare.decode(bare.encode(' a'), { skipSpecialTokens: true })).toBe(' a');
  });

  it('drops leading, trailing and repeated spaces where it was trained so', () => {
    const tokenizer = tokenizerOf({ pieces: [...SPECIAL, ...LETTERS], normalizer: [] });
    expect(tokensOf(tokenizer, '  a   b ')).toEqual(['<s>', '▁', 'a', '▁', 'b']);
    expect(tokensOf(tokenizer, '   ')).toEqual(['<s>']);
  });

  it('takes special tokens from the configuration before its own', () => {
    const pieces = [...SPECIAL, ...LETTERS] as const;
    const own = tokenizerOf({ pieces, trainer: [[3, 2], [43, 0]] }); // biome-ignore format: pairs
    expect(own).toMatchObject({ bosTokenId: 1, eosTokenId: 2, padTokenId: 0, unknownTokenId: 0 });
    expect(tokenizerOf({ pieces, trainer: [[3, 2], [43, -1]] }).padTokenId).toBeUndefined(); // biome-ignore format: pairs
    const config = { pad_token: '</s>', add_bos_token: false, add_eos_token: true };
    const configured = tokenizerOf({ pieces }, { config });
    expect(configured.padTokenId).toBe(2);
    expect(tokensOf(configured, 'a')).toEqual(['▁', 'a', '</s>']);
  });

  it('is refused if it encodes in a way that has no tokenizer.json', () => {
    const pieces = [...SPECIAL, ...LETTERS] as const;
    const refusal = (parts: Partial<ModelParts>) => () => tokenizerOf({ pieces, ...parts });
    expect(refusal({ trainer: [[3, 1]] })).toThrow(/byte-pair encoding model, received a unigram model.*AutoTokenizer/);
    expect(refusal({ normalizer: [[2, 'xyz']] })).toThrow(/replaces characters/);
    expect(refusal({ pieces: [...pieces, ['c', -1, 'unused']] })).toThrow(/the unused piece "c"/);
    expect(refusal({ pieces: [...pieces, ['a', -1]] })).toThrow(/distinct pieces, received "a" twice/);
  });
});

describe('a damaged SentencePiece model', () => {
  const parse = (bytes: Uint8Array) => () => parseSentencePieceModel(bytes, 'tokenizer.model');

  it('is named with what is wrong with it', () => {
    expect(parse(new Uint8Array(0))).toThrow(
      /read tokenizer.model: expected a SentencePiece model, received no pieces/,
    );
    expect(parse(readFileSync(file).subarray(0, 1000))).toThrow(/ends inside the field/);
    expect(parse(new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\n'))).toThrow(TokenizerError);
    expect(parse(message([1, message([2, { float: 1 }])]))).toThrow(/piece 0 without a text/);
    expect(parse(message([1, message([1, 'a'], [2, { float: Number.NaN }])]))).toThrow(/the score NaN/);
    expect(parse(message([1, message([1, 'a'], [3, 9])]))).toThrow(/unknown type of piece 9/);
    expect(parse(Uint8Array.of(0x0b))).toThrow(/unknown type 3/);
    expect(parse(new Uint8Array(12).fill(0xff))).toThrow(/more than ten bytes/);
  });

  it('never does anything but parse or fail with a TokenizerError', () => {
    const original = readFileSync(file).subarray(0, 3000);
    let state = 1;
    const next = (bound: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    let failures = 0;
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from(original.subarray(0, 1 + next(original.length)));
      for (let change = next(4); change >= 0; change--) bytes[next(bytes.length)] = next(256);
      try {
        expect(parseSentencePieceModel(bytes, 'mutated').pieces.length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(TokenizerError);
        failures++;
      }
    }
    expect(failures).toBeGreaterThan(500);
  });
});
