import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTokenizerFiles } from '../../src/tokenizer/read-tokenizer-files.js';
import { loadTokenizer } from '../../src/tokenizer/tokenizer.js';
import { saveTokenizer } from '../../src/tokenizer/tokenizer-files.js';

const root = fileURLToPath(new URL('../fixtures/backbones/tokenizers/', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-tokenizer-'));
});
afterEach(() => rm(folder, { recursive: true }));

const use = (name: string, ...files: string[]) =>
  Promise.all(files.map((file) => cp(join(root, name, file), join(folder, file))));

const write = (name: string, value: unknown) =>
  writeFile(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));

const configOf = async (name: string) =>
  JSON.parse(await readFile(join(root, name, 'tokenizer_config.json'), 'utf8')) as Record<string, unknown>;

describe('the folder of a tokenizer', () => {
  it('may give special tokens in special_tokens_map.json, which older configurations leave to it', async () => {
    await use('llama_legacy', 'tokenizer.json', 'tokenizer_config.json');
    await write('special_tokens_map.json', { pad_token: '<unk>', bos_token: { content: '<s>', lstrip: false } });
    expect(await loadTokenizer(folder)).toMatchObject({ padTokenId: 0, bosTokenId: 1, eosTokenId: 2 });
  });

  it('does not read special_tokens_map.json beside a configuration that lists all added tokens', async () => {
    await use('llama_legacy', 'tokenizer.json');
    await write('tokenizer_config.json', { ...(await configOf('llama_legacy')), added_tokens_decoder: {} });
    await write('special_tokens_map.json', { pad_token: '<unk>' });
    expect((await loadTokenizer(folder)).padTokenId).toBeUndefined();
  });

  it('may give added tokens in added_tokens.json', async () => {
    await use('llama_legacy', 'tokenizer.model', 'tokenizer_config.json');
    await write('added_tokens.json', { '<image>': 406 });
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.imageTokenId).toBe(406);
    expect(tokenizer.vocabularySize).toBe(407);
    const [, ...ids] = tokenizer.encode('the<image>the');
    expect(ids).toEqual([tokenizer.tokenToId('▁the'), 406, tokenizer.tokenToId('▁the')]);
  });

  it('may name pieces anew in added_tokens_decoder, as InternLM2 does for its chat marks', async () => {
    await use('llama_legacy', 'tokenizer.model');
    const config = await configOf('llama_legacy');
    const mark = { content: '<|im_end|>', special: true, normalized: false };
    await write('tokenizer_config.json', { ...config, eos_token: '<|im_end|>', added_tokens_decoder: { 405: mark } });
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.eosTokenId).toBe(405);
    expect(tokenizer.idToToken(405)).toBe('<|im_end|>');
    // The piece that had the id is gone: its character is spelled in bytes.
    expect(tokenizer.encode('你', { addSpecialTokens: false })).not.toContain(405);
    expect(tokenizer.decode(tokenizer.encode('你'), { skipSpecialTokens: true })).toBe('你');
    expect(tokenizer.encode('a<|im_end|>').at(-1)).toBe(405);
  });

  it.each([
    [{ add_bos_token: false, add_eos_token: true }, [262, 2]],
    [{ add_bos_token: true, add_eos_token: true }, [1, 262, 2]],
    [{}, [1, 262]],
  ])("puts bos and eos around texts as LLaMA's configuration says: %j", async (flags, ids) => {
    await use('llama_legacy', 'tokenizer.json');
    const { add_bos_token: _, add_eos_token: __, ...config } = await configOf('llama_legacy');
    await write('tokenizer_config.json', { ...config, ...flags, tokenizer_class: 'LlamaTokenizerFast' });
    expect((await loadTokenizer(folder)).encode('the')).toEqual(ids);
    await write('tokenizer_config.json', { ...config, ...flags, tokenizer_class: 'PreTrainedTokenizerFast' });
    expect((await loadTokenizer(folder)).encode('the')).toEqual([1, 262]);
  });

  it('gives its chat templates by name', async () => {
    await use('qwen2', 'tokenizer.json', 'tokenizer_config.json');
    expect((await loadTokenizer(folder)).chatTemplates).toEqual({});
    const config = await configOf('qwen2');
    await write('tokenizer_config.json', { ...config, chat_template: 'one' });
    expect((await loadTokenizer(folder)).chatTemplates).toEqual({ default: 'one' });
    const list = [
      { name: 'default', template: 'one' },
      { name: 'tool_use', template: 'two' },
    ];
    await write('tokenizer_config.json', { ...config, chat_template: list });
    expect((await loadTokenizer(folder)).chatTemplates).toEqual({ default: 'one', tool_use: 'two' });
    await write('chat_template.jinja', 'three');
    expect((await loadTokenizer(folder)).chatTemplates).toEqual({ default: 'three' });
  });

  it('becomes a tokenizer.json when it is saved', async () => {
    await use('llama_legacy', 'tokenizer.model');
    const target = join(folder, 'saved');
    await saveTokenizer(await readTokenizerFiles(folder), target);
    const [saved, original] = [await loadTokenizer(target), await loadTokenizer(`${root}llama_legacy`)];
    for (const text of ['the dog', 'a</s> b', '  🙂\n']) expect(saved.encode(text)).toEqual(original.encode(text));
    expect(saved.bosTokenId).toBe(1);
  });

  it('is refused with an id that no vocabulary has', async () => {
    await use('qwen2', 'tokenizer.json');
    await write('tokenizer_config.json', { added_tokens_decoder: { 99999999: { content: '<x>' } } });
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ name: 'TokenizerError' });
    await write('tokenizer_config.json', { added_tokens_decoder: { first: { content: '<x>' } } });
    await expect(loadTokenizer(folder)).rejects.toThrow(/added_tokens_decoder/);
  });
});
