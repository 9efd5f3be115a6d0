import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.js';

interface Case {
  readonly text: string;
  readonly ids: number[];
  readonly ids_with_special: number[];
  readonly decoded: string;
  readonly decoded_skip_special: string;
}

const root = fileURLToPath(new URL('../fixtures/backbones/tokenizers/', import.meta.url));

describe('tokenizers of published model families', () => {
  for (const name of readdirSync(root)) {
    const { cases } = JSON.parse(readFileSync(`${root}${name}/expected.json`, 'utf8')) as { cases: Case[] };

    it(`encodes and decodes ${name} like the reference, with and without special tokens`, async () => {
      const tokenizer = await loadTokenizer(`${root}${name}`);
      expect(cases.length).toBeGreaterThan(20);
      for (const expected of cases) {
        const ids = tokenizer.encode(expected.text, { addSpecialTokens: false });
        const withSpecial = tokenizer.encode(expected.text);
        expect(
          {
            text: expected.text,
            ids,
            ids_with_special: withSpecial,
            decoded: tokenizer.decode(withSpecial),
            decoded_skip_special: tokenizer.decode(withSpecial, { skipSpecialTokens: true }),
          },
          expected.text,
        ).toEqual({
          text: expected.text,
          ids: expected.ids,
          ids_with_special: expected.ids_with_special,
          decoded: expected.decoded,
          decoded_skip_special: expected.decoded_skip_special,
        });
      }
    });
  }
});

describe('special token ids', () => {
  it('come from tokenizer_config.json', async () => {
    const llama = await loadTokenizer(`${root}llama_new`);
    expect(llama).toMatchObject({ bosTokenId: 1, eosTokenId: 2, unknownTokenId: 0, imageTokenId: 406 });
    expect(llama.padTokenId).toBeUndefined();
    expect(llama.vocabularySize).toBe(407);
    const qwen = await loadTokenizer(`${root}qwen2`);
    expect(qwen).toMatchObject({ eosTokenId: 338, padTokenId: 336 });
    expect(qwen.bosTokenId).toBeUndefined();
    expect(qwen.imageTokenId).toBeUndefined();
    expect(qwen.idToToken(337)).toBe('<|im_start|>');
    expect(qwen.tokenToId('<|im_start|>')).toBe(337);
  });
});
