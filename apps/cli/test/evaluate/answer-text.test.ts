import { buildTokenizer, createTokenizer, TEMPLATES } from '@ocelli/data';
import { expect, it } from 'vitest';
import { answerText } from '../../src/evaluate/answer-text.js';

const tokenizer = createTokenizer(buildTokenizer(['red blue red blue'], { vocabularySize: 270 }));
const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });

it('is the text without the end of sequence, the space in front, and rows beyond the vocabulary', () => {
  const tokens = [...encode(' red'), tokenizer.vocabularySize + 3, tokenizer.eosTokenId!];
  expect(answerText(tokens, tokenizer, TEMPLATES.vicuna_v1)).toBe('red');
  expect(answerText([tokenizer.eosTokenId!], tokenizer, TEMPLATES.vicuna_v1)).toBe('');
});

it('ends at the mark of a template that has no end of sequence', () => {
  expect(answerText(encode('\nred\nblue'), tokenizer, TEMPLATES.llava_plain)).toBe('red');
  expect(answerText(encode('red\nblue'), tokenizer, TEMPLATES.plain)).toBe('red\nblue');
});
