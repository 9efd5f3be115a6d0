import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from '../../src/tokenizer/tokenizer.js';

interface Case {
  readonly text: string;
  readonly tokens: string[];
  readonly ids: number[];
  readonly ids_with_special: number[];
  readonly decoded: string;
  readonly decoded_skip_special: string;
}

const root = fileURLToPath(new URL('../fixtures/backbones/tokenizers/', import.meta.url));

function casesOf(name: string): Case[] {
  return (JSON.parse(readFileSync(`${root}${name}/expected.json`, 'utf8')) as { cases: Case[] }).cases;
}

function outcome(tokenizer: Tokenizer, text: string): Case {
  const ids = tokenizer.encode(text, { addSpecialTokens: false });
  const withSpecial = tokenizer.encode(text);
  return {
    text,
    tokens: ids.map((id) => tokenizer.idToToken(id)!),
    ids,
    ids_with_special: withSpecial,
    decoded: tokenizer.decode(withSpecial),
    decoded_skip_special: tokenizer.decode(withSpecial, { skipSpecialTokens: true }),
  };
}

describe('tokenizers of published model families', () => {
  it.each(readdirSync(root))('encode and decode like the reference: %s', async (name) => {
    const tokenizer = await loadTokenizer(`${root}${name}`);
    const cases = casesOf(name);
    expect(cases.length).toBeGreaterThan(20);
    for (const expected of cases) expect(outcome(tokenizer, expected.text)).toEqual(expected);
  });

  it('encode and decode like the reference from a tokenizer.model alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ocelli-tokenizer-'));
    try {
      await cp(`${root}llama_legacy/tokenizer.model`, join(folder, 'tokenizer.model'));
      const tokenizer = await loadTokenizer(folder);
      for (const expected of casesOf('llama_legacy')) expect(outcome(tokenizer, expected.text)).toEqual(expected);
      expect(tokenizer).toMatchObject({ bosTokenId: 1, eosTokenId: 2, unknownTokenId: 0, legacy: true });
      expect(tokenizer.padTokenId).toBeUndefined();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
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
    expect(qwen.specialTokens).toEqual({ eos_token: '<|im_end|>', pad_token: '<|endoftext|>' });
    const roberta = await loadTokenizer(`${root}roberta`);
    expect(roberta.tokenToId(roberta.specialTokens.mask_token!)).toBe(340);
  });
});
