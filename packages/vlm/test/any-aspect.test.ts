import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeEngine } from '@ocelli/core-tensor';
import { CollationError, squashImageProcessor } from '@ocelli/data';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writePng } from '../../../test/support/write-png.js';
import {
  anyAspectImageProcessor,
  createAnswerer,
  prepareAnyAspect,
  VisionLanguageModel,
  visualTokensOfImage,
} from '../src/index.js';
import { tokenizer } from './colour-questions.js';
import { smallConfig } from './support.js';

const vision = { type: 'convnext' as const, depths: [1, 1], hiddenSizes: [4, 6], imageSize: 32 };
const language = { ...smallConfig().language, vocabSize: tokenizer.vocabularySize };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'any-aspect-'));
});
afterEach(() => rm(folder, { recursive: true }));
afterAll(closeEngine);

describe('an image of any aspect ratio', () => {
  it('takes as many positions as the map of the encoder has cells', () => {
    const model = new VisionLanguageModel({ vision, projector: { type: 'linear', endTokens: 1 }, language });
    expect(model.visualTokensPerImage).toBe(17);
    expect(visualTokensOfImage(model, { height: 32, width: 32 })).toBe(17);
    // Halves of cells are left out.
    expect(visualTokensOfImage(model, { height: 32, width: 75 })).toBe(4 * 9 + 1);
    expect(() => visualTokensOfImage(model, { height: 4, width: 64 })).toThrow(/4 × 64 pixels, a map of 0 × 8/);
    const square = { type: 'c-abstractor', outputTokens: 4, hiddenSize: 8, depth: 1 } as const;
    const abstractor = new VisionLanguageModel({ vision, projector: square, language });
    expect(visualTokensOfImage(abstractor, { height: 64, width: 64 })).toBe(4);
    expect(() => visualTokensOfImage(abstractor, { height: 32, width: 64 })).toThrow(/a c-abstractor takes.*4 × 8/);
  });

  it('is asked about without padding or cropping it', async () => {
    const model = new VisionLanguageModel({ vision, projector: { type: 'mlp', depth: 2 }, language }).initialize(1);
    const file = join(folder, 'wide.png');
    await writePng(file, { width: 75, height: 30 }, [255, 0, 0]);
    const conversation = { id: 'wide', images: [file], turns: [{ role: 'user' as const, text: '<image>colour?' }] };
    const options = {
      tokenizer,
      template: 'plain' as const,
      imageProcessor: anyAspectImageProcessor(squashImageProcessor(32), 40),
      maximumLength: 256,
    };
    const batch = await prepareAnyAspect(model, conversation, options);
    // The shortest edge has 40 pixels, the other 75 · 40 / 30 = 100: 5 × 12 cells.
    expect(batch.pixelValues.shape).toEqual([1, 3, 40, 100]);
    const plan = (await batch.plan.data()) as Int32Array;
    expect(plan.filter((row) => row >= plan.length)).toHaveLength(60);
    const [row] = await createAnswerer(model)(batch, { maxNewTokens: 2, eosTokenId: [] });
    expect(row!.tokens).toHaveLength(2);
    await expect(prepareAnyAspect(model, conversation, { ...options, maximumLength: 32 })).rejects.toThrow(
      CollationError,
    );
  });
});
