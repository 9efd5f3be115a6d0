import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generateMicroworld, readMicroworldSplit } from '../../src/index.js';
import { keywordsOf } from '../../src/microworld/keywords.js';

test.each([
  ['Is there a red circle in the image?', 'red circle?'],
  ['How many yellow shapes are there in the image?', 'many yellow shapes?'],
  ['What colour is the triangle?', 'colour triangle?'],
  ['Where is the blue cross?', 'where blue cross?'],
  ['Is the red circle to the left of the blue square?', 'red circle left blue square?'],
])('%s is %s in keywords', (sentence, keywords) => {
  expect(keywordsOf(sentence)).toBe(keywords);
});

test('questions of a scene in keywords differ from each other, captions stay sentences', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'ocelli-keywords-'));
  try {
    const directory = join(parent, 'world');
    const questionTypes = ['existence', 'count', 'colour', 'position', 'caption'] as const;
    await generateMicroworld(directory, {
      seed: 5,
      imageSize: 16,
      scenes: { train: 60 },
      questionsPerScene: 5,
      questionTypes: [...questionTypes],
      wording: 'keywords',
      scene: { content: 'shapes' },
    });
    for (const { questions } of await readMicroworldSplit(directory, 'train')) {
      const texts = questions.map(({ text }) => text);
      expect(new Set(texts).size).toBe(texts.length);
      for (const { type, text } of questions) {
        if (type === 'caption') expect(text).toMatch(/image/);
        else expect(text).toMatch(/^[a-z ]+\?$/);
      }
    }
  } finally {
    await rm(parent, { recursive: true });
  }
});
