import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readTokenizerFiles } from '../../src/tokenizer/read-tokenizer-files.js';
import { createTokenizer, type Tokenizer } from '../../src/tokenizer/tokenizer.js';
import type { TokenizerJson } from '../../src/tokenizer/tokenizer-files.js';

const root = fileURLToPath(new URL('../fixtures/backbones/tokenizers/', import.meta.url));

async function variant(name: string, change: (json: TokenizerJson) => object = () => ({})): Promise<Tokenizer> {
  const { tokenizerJson, tokenizerConfig } = await readTokenizerFiles(`${root}${name}`);
  return createTokenizer({ tokenizerJson: { ...tokenizerJson, ...change(tokenizerJson) }, tokenizerConfig });
}

const tokensOf = (tokenizer: Tokenizer, text: string) =>
  tokenizer.encode(text, { addSpecialTokens: false }).map((id) => tokenizer.idToToken(id));

// Expected values are those of the Rust library tokenizers 0.23.
describe('where the library differs from the original', () => {
  it('keeps a byte order mark', async () => {
    const llama = await variant('llama_legacy');
    expect(llama.decode(llama.encode('\uFEFFb'), { skipSpecialTokens: true })).toBe('\uFEFFb');
  });

  it('decodes a run of bytes that is not UTF-8 as one U+FFFD a byte', async () => {
    const llama = await variant('llama_legacy');
    const decode = (...tokens: string[]) => llama.decode(tokens.map((token) => llama.tokenToId(token)!));
    expect(decode('<0xD5>', '<0x5A>')).toBe('\uFFFD\uFFFD');
    expect(decode('▁w', '<0xD2>', '<0x0D>', '6')).toBe('w\uFFFD\uFFFD6');
    expect(decode('<0xC3>', '<0xA9>', 'y', '<0xF0>', '<0x9F>')).toBe('éy\uFFFD\uFFFD');
  });

  it('counts U+0085 as white space and U+FEFF as none when it cuts words', async () => {
    const roberta = await variant('roberta');
    expect(tokensOf(roberta, "'\u0085's")).toEqual(["'", 'Â', 'ħ', "'s"]);
    expect(roberta.encode("a'\uFEFF's", { addSpecialTokens: false })).toHaveLength(7);
  });

  it('counts them likewise when <mask> swallows the space before it', async () => {
    const roberta = await variant('roberta');
    expect(tokensOf(roberta, 'a \u0085 <mask>')).toEqual(['a', '<mask>']);
    expect(tokensOf(roberta, 'a\uFEFF<mask>')).toEqual(['a', 'ï', '»', '¿', '<mask>']);
    expect(tokensOf(roberta, 'a <mask> a')).toEqual(['a', '<mask>', 'Ġa']);
  });

  it('lets a token swallow the space behind it', async () => {
    const token = { id: 409, content: '<r>', special: true, normalized: false, rstrip: true };
    const llama = await variant('llama_new', ({ added_tokens }) => ({ added_tokens: [...added_tokens, token] }));
    expect(tokensOf(llama, '<r> \u0085the<r>')).toEqual(['<r>', 't', 'he', '<r>']);
  });

  it('puts a space in front of the text where add_prefix_space says so, and not inside an emoji', async () => {
    const roberta = await variant('roberta', ({ pre_tokenizer }) => ({
      pre_tokenizer: { ...(pre_tokenizer as object), add_prefix_space: true },
    }));
    expect(roberta.decode(roberta.encode('b🙂', { addSpecialTokens: false }))).toBe(' b🙂');
    expect(tokensOf(roberta, ' b')).toEqual(['Ġb']);
  });

  it('encodes the second of two texts where post-processing is ByteLevel alone', async () => {
    const qwen = await variant('qwen2');
    expect(qwen.encode('the', { pair: 'dog' })).toEqual([...qwen.encode('the'), ...qwen.encode('dog')]);
    const roberta = await variant('roberta');
    const [a, b] = [roberta.encode('the').slice(1, -1), roberta.encode('dog').slice(1, -1)];
    expect(roberta.encode('the', { pair: 'dog' })).toEqual([0, ...a, 2, 2, ...b, 2]);
  });

  it('does not clean up spaces unless it is told to', async () => {
    const { tokenizerJson, tokenizerConfig } = await readTokenizerFiles(`${root}qwen2`);
    const { clean_up_tokenization_spaces: _, ...silent } = tokenizerConfig;
    const text = 'a . b ?';
    for (const [config, expected] of [
      [silent, text],
      [{ ...silent, clean_up_tokenization_spaces: true }, 'a. b?'],
    ] as const) {
      const tokenizer = createTokenizer({ tokenizerJson, tokenizerConfig: config });
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(expected);
      expect(tokenizer.decode(tokenizer.encode(text), { cleanUpSpaces: true })).toBe('a. b?');
    }
  });

  it('refuses what the library would leave out', async () => {
    const wholeWord = { id: 500, content: 'x', single_word: true };
    await expect(
      variant('qwen2', ({ added_tokens }) => ({ added_tokens: [...added_tokens, wholeWord] })),
    ).rejects.toThrow(/received single_word for x/);
    const split = { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithNext', invert: false };
    await expect(variant('qwen2', () => ({ pre_tokenizer: split }))).rejects.toThrow(/Split with MergedWithNext/);
    await expect(variant('llama_new', () => ({ pre_tokenizer: { type: 'Metaspace' } }))).rejects.toThrow(
      /a Metaspace that leaves the text whole, received one that splits it/,
    );
  });
});
