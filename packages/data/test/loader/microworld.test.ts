import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConversations } from '../../src/conversation/read-conversations.js';
import { squashImageProcessor } from '../../src/image/image-processor.js';
import { conversationDataset } from '../../src/loader/dataset.js';
import { createLoader } from '../../src/loader/loader.js';
import { generateMicroworld } from '../../src/microworld/generate-microworld.js';
import { buildTokenizer } from '../../src/tokenizer/build-tokenizer.js';
import { createTokenizer } from '../../src/tokenizer/tokenizer.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ocelli-microworld-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a generated data set', () => {
  it('is read, tokenized and batched so that exactly its answers are trained', async () => {
    const root = join(directory, 'world');
    await generateMicroworld(root, { seed: 5, scenes: { train: 6, validation: 1, test: 1 } });
    const conversations = await readConversations(join(root, 'train.json'));
    const texts = conversations.flatMap(({ turns }) => turns.map(({ text }) => text));
    const tokenizer = createTokenizer(buildTokenizer(texts, { vocabularySize: 512 }));
    const loader = createLoader(conversationDataset('world', conversations), {
      tokenizer,
      template: 'honeybee_default',
      imageProcessor: squashImageProcessor(56),
      batchSize: 3,
      visualTokensPerImage: 16,
      maximumLength: 2048,
      epochs: 1,
      workers: 1,
    });
    const byId = new Map(conversations.map((conversation) => [conversation.id, conversation]));
    let rows = 0;
    for await (const { shape, sampleIds, labels, plan, pixelValues } of loader) {
      expect(shape).toMatchObject({ batch: 3, images: 3, height: 56, width: 56 });
      expect(new Set(pixelValues).size).toBeGreaterThan(10);
      expect(plan.filter((row) => row >= plan.length)).toEqual(
        Int32Array.from({ length: 48 }, (_, j) => plan.length + j),
      );
      for (const [row, id] of sampleIds.entries()) {
        const trained = labels.slice(row * shape.length, (row + 1) * shape.length).filter((label) => label !== -100);
        const answers = byId.get(id)!.turns.filter(({ role }) => role === 'assistant');
        expect(tokenizer.decode(trained)).toBe(answers.map(({ text }) => `${text}</s>`).join(''));
        rows++;
      }
    }
    expect(rows).toBe(6);
  });
});
