import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { trainMerges } from '../../src/tokenizer/bpe-trainer.js';
import { buildTokenizer } from '../../src/tokenizer/build-tokenizer.js';
import { createTokenizer, loadTokenizer } from '../../src/tokenizer/tokenizer.js';
import { TokenizerError } from '../../src/tokenizer/tokenizer-error.js';
import { saveTokenizer } from '../../src/tokenizer/tokenizer-files.js';

const TEXTS = [
  'How many red circles are left of the blue square?',
  'There are three red circles left of the blue square.',
  'What colour is the large triangle? The large triangle is green.',
  'Where is the word "NORTH"? [0.125,0.250,0.500,0.750]',
];

const directories: string[] = [];
async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ocelli-tokenizer-'));
  directories.push(directory);
  return directory;
}
afterEach(async () => {
  await Promise.all(directories.splice(0).map((directory) => rm(directory, { recursive: true, force: true })));
});

describe('trainMerges', () => {
  it('merges the most frequent pair first and the smaller one of two equals', () => {
    // (a,b) occurs 4 times; then (ab,c) and (ab,d) twice each, in this order of code units.
    const words = new Map([
      ['abd', 2],
      ['abc', 2],
      ['xy', 1],
    ]);
    expect(trainMerges(words, 10, 2)).toEqual([
      ['a', 'b'],
      ['ab', 'c'],
      ['ab', 'd'],
    ]);
    expect(trainMerges(words, 1, 1)).toEqual([['a', 'b']]);
  });

  it('merges overlapping pairs from the left', () => {
    // aaaaa becomes aa aa a; of the two pairs left, "aa a" comes before "aa aa".
    expect(trainMerges(new Map([['aaaaa', 1]]), 3, 1)).toEqual([
      ['a', 'a'],
      ['aa', 'a'],
      ['aa', 'aaa'],
    ]);
  });

  it('keeps the counts of pairs that a merge creates and destroys', () => {
    // After (b,c): a+bc 3, bc+d 3, so that (a,b) and (c,d) are gone although both had occurred three times.
    const words = new Map([
      ['abcd', 3],
      ['bc', 1],
    ]);
    expect(trainMerges(words, 3, 2)).toEqual([
      ['b', 'c'],
      ['a', 'bc'],
      ['abc', 'd'],
    ]);
  });
});

describe('buildTokenizer', () => {
  it('puts special tokens first, then bytes, then merges, up to the size asked for', () => {
    const tokenizer = createTokenizer(buildTokenizer(TEXTS, { vocabularySize: 300 }));
    expect(tokenizer).toMatchObject({
      padTokenId: 0,
      bosTokenId: 1,
      eosTokenId: 2,
      imageTokenId: 3,
      vocabularySize: 300,
    });
    expect(tokenizer.idToToken(4 + 0x41)).toBe('A');
    expect(tokenizer.idToToken(4 + 0x20)).toBe('Ġ');
  });

  it('shortens the texts that it was trained on', () => {
    const bytes = createTokenizer(buildTokenizer([], { vocabularySize: 260 }));
    const trained = createTokenizer(buildTokenizer(TEXTS, { vocabularySize: 330 }));
    const count = (tokenizer: typeof bytes) => TEXTS.reduce((sum, text) => sum + tokenizer.encode(text).length, 0);
    expect(count(bytes)).toBe(TEXTS.reduce((sum, text) => sum + text.length + 1, 0));
    expect(count(trained)).toBeLessThan(0.55 * count(bytes));
    expect(trained.encode(' circles', { addSpecialTokens: false })).toHaveLength(1);
  });

  it('decodes any text to itself', () => {
    const tokenizer = createTokenizer(buildTokenizer(TEXTS, { vocabularySize: 320 }));
    const texts = [
      'How many red circles?',
      ' leading, trailing  and   runs of spaces ',
      'naïve café, decomposed: cafe\u0301',
      '你好，世界 — Ωμέγα, Здравствуйте, שלום, नमस्ते',
      '😀👨‍👩‍👧\u200d\ufeff\u0000\u0007',
      'tabs\tand\r\nline\n\n\nbreaks\r',
      "I'LL don't 1,234.5 <|im_start|> __proto__ constructor",
      '\u{10ffff}\ud7ff\u0085\u00a0\u3000',
    ];
    for (const text of texts) {
      const ids = tokenizer.encode(text, { addSpecialTokens: false });
      expect(tokenizer.decode(ids)).toBe(text);
      expect(tokenizer.encode(text)).toEqual([1, ...ids]);
      expect(tokenizer.decode(tokenizer.encode(text), { skipSpecialTokens: true })).toBe(text);
    }
    expect(tokenizer.decode([])).toBe('');
  });

  it('recognises special tokens in the text', () => {
    const tokenizer = createTokenizer(
      buildTokenizer(TEXTS, { vocabularySize: 300, additionalSpecialTokens: ['<box>'] }),
    );
    const ids = tokenizer.encode('<image>\nred</s><box>', { addSpecialTokens: false });
    expect(ids[0]).toBe(3);
    expect(ids.slice(-2)).toEqual([2, 4]);
    expect(tokenizer.decode(ids)).toBe('<image>\nred</s><box>');
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('\nred');
  });

  it('gives the same files for the same texts in another order, and other files for other texts', () => {
    const options = { vocabularySize: 340 };
    const files = JSON.stringify(buildTokenizer(TEXTS, options));
    expect(JSON.stringify(buildTokenizer([...TEXTS].reverse(), options))).toBe(files);
    expect(JSON.stringify(buildTokenizer(TEXTS.slice(1), options))).not.toBe(files);
  });

  it('learns nothing from the text of special tokens', () => {
    const repeated = Array.from({ length: 50 }, () => '<image></s>');
    expect(createTokenizer(buildTokenizer(repeated, { vocabularySize: 400 })).vocabularySize).toBe(260);
  });

  it('refuses options that cannot work, naming them', () => {
    expect(() => buildTokenizer(TEXTS, { vocabularySize: 100 })).toThrow(/vocabularySize of at least 260/);
    expect(() => buildTokenizer(TEXTS, { vocabularySize: 300, specialTokens: { eos: '<s>' } })).toThrow(/"<s>" twice/);
    expect(() => buildTokenizer(TEXTS, { vocabularySize: 300, size: 4 } as never)).toThrow(/size/);
    expect(() => buildTokenizer(TEXTS, { vocabularySize: 300.5 })).toThrow(TokenizerError);
  });
});

describe('saveTokenizer and loadTokenizer', () => {
  it('round-trip through a directory and leave no temporary files', async () => {
    const directory = join(await temporaryDirectory(), 'nested');
    const files = buildTokenizer(TEXTS, { vocabularySize: 320 });
    await saveTokenizer(files, directory);
    await saveTokenizer(files, directory);
    expect((await readdir(directory)).sort()).toEqual(['tokenizer.json', 'tokenizer_config.json']);
    const fromDisk = await loadTokenizer(directory);
    const fromMemory = await loadTokenizer(files);
    for (const text of TEXTS) expect(fromDisk.encode(text)).toEqual(fromMemory.encode(text));
    expect(JSON.parse(await readFile(join(directory, 'tokenizer.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(files.tokenizerJson)),
    );
  });

  it('reports a directory that cannot be written', async () => {
    const directory = await temporaryDirectory();
    const files = buildTokenizer(TEXTS, { vocabularySize: 300 });
    await saveTokenizer(files, directory);
    const below = join(directory, 'tokenizer.json');
    await expect(saveTokenizer(files, below)).rejects.toMatchObject({
      name: 'TokenizerError',
      file: join(below, 'tokenizer.json'),
    });
  });
});
