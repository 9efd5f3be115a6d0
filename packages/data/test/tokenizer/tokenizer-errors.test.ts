import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildTokenizer } from '../../src/tokenizer/build-tokenizer.js';
import { createTokenizer, loadTokenizer } from '../../src/tokenizer/tokenizer.js';

let directory: string;
const files = buildTokenizer([], { vocabularySize: 260 });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ocelli-tokenizer-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function write(tokenizer: string, config: string): Promise<void> {
  await writeFile(join(directory, 'tokenizer.json'), tokenizer);
  await writeFile(join(directory, 'tokenizer_config.json'), config);
}

describe('loading a broken tokenizer', () => {
  it('names the file that is missing and what to do', async () => {
    const missing = join(directory, 'nowhere');
    await expect(loadTokenizer(missing)).rejects.toMatchObject({
      name: 'TokenizerError',
      file: join(missing, 'tokenizer.json'),
      message: expect.stringMatching(/received ENOENT\. Pass a directory that holds .*tokenizer\.model/s),
    });
  });

  it('names the configuration that is missing', async () => {
    await writeFile(join(directory, 'tokenizer.json'), JSON.stringify(files.tokenizerJson));
    await expect(loadTokenizer(directory)).rejects.toMatchObject({
      name: 'TokenizerError',
      file: join(directory, 'tokenizer_config.json'),
    });
  });

  it('names the file that is no JSON', async () => {
    await write(JSON.stringify(files.tokenizerJson), '{"bos_token": ');
    await expect(loadTokenizer(directory)).rejects.toMatchObject({
      name: 'TokenizerError',
      file: join(directory, 'tokenizer_config.json'),
      message: expect.stringMatching(/expected JSON/),
    });
  });

  it('names the field that is no tokenizer', async () => {
    await write(JSON.stringify({ ...files.tokenizerJson, added_tokens: 3 }), '{}');
    await expect(loadTokenizer(directory)).rejects.toMatchObject({
      file: join(directory, 'tokenizer.json'),
      message: expect.stringMatching(/added_tokens/),
    });
    await write('[]', '{}');
    await expect(loadTokenizer(directory)).rejects.toMatchObject({ name: 'TokenizerError' });
  });

  it('names a component that the library does not know', async () => {
    const strange = { ...files.tokenizerJson, decoder: { type: 'Telepathy' } };
    await write(JSON.stringify(strange), '{}');
    await expect(loadTokenizer(directory)).rejects.toMatchObject({
      name: 'TokenizerError',
      message: expect.stringMatching(/Telepathy/),
    });
  });

  it('refuses a special token that the vocabulary lacks', () => {
    const tokenizerConfig = { ...files.tokenizerConfig, eos_token: { content: '<|end|>' } };
    expect(() => createTokenizer({ ...files, tokenizerConfig })).toThrow(/eos_token .*received "<\|end\|>"/);
  });
});

describe('decode', () => {
  it('refuses ids outside the vocabulary', () => {
    const tokenizer = createTokenizer(files);
    expect(() => tokenizer.decode([5, 260])).toThrow(/ids between 0 and 259, received 260/);
    expect(() => tokenizer.decode(Int32Array.of(-100))).toThrow(/received -100/);
  });
});
