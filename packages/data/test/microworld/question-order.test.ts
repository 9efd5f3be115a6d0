import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generateMicroworld, readMicroworldSplit } from '../../src/index.js';

test('the place of a question does not tell its answer', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'ocelli-order-'));
  try {
    const directory = join(parent, 'world');
    const options = { seed: 3, imageSize: 16, scenes: { train: 600 }, questionsPerScene: 4 };
    await generateMicroworld(directory, {
      ...options,
      questionTypes: ['existence', 'count'],
      scene: { content: 'shapes' },
    });
    const samples = await readMicroworldSplit(directory, 'train');
    for (const place of [0, 1, 2, 3]) {
      const asked = samples.flatMap(({ questions }) =>
        questions[place]?.type === 'existence' ? [questions[place]] : [],
      );
      const yes = asked.filter(({ answer }) => answer === 'Yes').length / asked.length;
      expect(asked.length).toBeGreaterThan(100);
      expect(yes).toBeGreaterThan(0.35);
      expect(yes).toBeLessThan(0.65);
    }
  } finally {
    await rm(parent, { recursive: true });
  }
});
