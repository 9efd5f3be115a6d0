import type { SegmentTokenizer } from '../../src/collate/tokenize-segments.js';

/** The tokenizer of the reference's fixtures: a character is its code point plus ten. */
export const toyTokenizer: SegmentTokenizer = {
  bosTokenId: 1,
  eosTokenId: 2,
  imageTokenId: undefined,
  encode: (text) => Array.from(text, (character) => character.codePointAt(0)! + 10),
  idToToken: (id) => (id === 2 ? '</s>' : id > 10 ? String.fromCodePoint(id - 10) : undefined),
};
