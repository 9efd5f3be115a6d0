import { describe, expect, it } from 'vitest';
import { textStream } from '../../src/index.js';

/** Every id is a byte of UTF-8. */
const decodeBytes = (ids: readonly number[]) => new TextDecoder().decode(Uint8Array.from(ids));
const bytes = (text: string) => [...new TextEncoder().encode(text)];

/** Words whose first one loses its space, as a SentencePiece decoder does. */
const words = ['▁the', '▁cat', 's', '▁sat', '.'];
const decodeWords = (ids: readonly number[]) =>
  ids
    .map((id) => words[id])
    .join('')
    .replaceAll('▁', ' ')
    .replace(/^ /, '');

function pieces(tokens: readonly number[], decode: (ids: readonly number[]) => string, stops: readonly string[] = []) {
  const stream = textStream(decode, stops);
  const texts: string[] = [];
  for (const token of tokens) {
    const { text, isStopped } = stream.push(token);
    texts.push(text);
    if (isStopped) return { texts, isStopped };
  }
  return { texts: [...texts, stream.end()], isStopped: false };
}

describe('textStream', () => {
  it('waits for whole characters', () => {
    const { texts } = pieces(bytes('aé😀z'), decodeBytes);
    expect(texts).toEqual(['a', '', 'é', '', '', '', '😀', 'z', '']);
  });

  it('gives what never became a character at the end', () => {
    expect(pieces(bytes('😀').slice(0, 3), decodeBytes).texts).toEqual(['', '', '', '\uFFFD']);
  });

  it('keeps the spaces between words', () => {
    const { texts } = pieces([0, 1, 2, 3, 4], decodeWords);
    expect(texts).toEqual(['the', ' cat', 's', ' sat', '.', '']);
  });

  it('takes a tokenizer in place of a function', () => {
    const stream = textStream({ decode: decodeWords });
    expect(stream.push(1).text).toBe('cat');
  });

  it('ends in front of a stop string that begins and ends inside tokens', () => {
    // "cats sat" has "s s" across three tokens.
    expect(pieces([0, 1, 2, 3, 4], decodeWords, ['s s'])).toEqual({ texts: ['the', ' cat', '', ''], isStopped: true });
    expect(pieces(bytes('go\n###x'), decodeBytes, ['\n###'])).toEqual({
      texts: ['g', 'o', '', '', '', ''],
      isStopped: true,
    });
  });

  it('holds back what may become a stop string until it does not', () => {
    expect(pieces(bytes('a##b###'), decodeBytes, ['###']).texts).toEqual(['a', '', '', '##b', '', '', '']);
    expect(pieces(bytes('aab'), decodeBytes, ['aac']).texts).toEqual(['', '', 'aab', '']);
    expect(pieces(bytes('aaac'), decodeBytes, ['aac'])).toEqual({ texts: ['', '', 'a', ''], isStopped: true });
    expect(pieces(bytes('x#'), decodeBytes, ['##']).texts).toEqual(['x', '', '#']);
  });

  it('stops at the first of several', () => {
    expect(pieces(bytes('abcd'), decodeBytes, ['cd', 'bc'])).toEqual({ texts: ['a', '', ''], isStopped: true });
  });

  it('agrees with decoding everything at once, whatever the bytes', () => {
    let state = 12345;
    const next = (range: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * range);
    };
    const alphabet = ['a', 'é', '€', '😀', ' ', '\n', '#'];
    for (let trial = 0; trial < 200; trial++) {
      const text = Array.from({ length: 12 }, () => alphabet[next(alphabet.length)]!).join('');
      const { texts, isStopped } = pieces(bytes(text), decodeBytes, ['##', '#\n']);
      const ends = ['##', '#\n'].map((stop) => text.indexOf(stop)).filter((index) => index >= 0);
      expect(isStopped).toBe(ends.length > 0);
      expect(texts.join('')).toBe(ends.length > 0 ? text.slice(0, Math.min(...ends)) : text);
      expect(texts.some((piece) => piece.includes('\uFFFD'))).toBe(false);
    }
  });
});
