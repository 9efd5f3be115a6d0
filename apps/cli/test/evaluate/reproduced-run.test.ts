import { join } from 'node:path';
import { closeEngine, saveWeights } from '@ocelli/core-tensor';
import { TEMPLATES } from '@ocelli/data';
import { ClipVisionTower } from '@ocelli/encoders';
import { Llama } from '@ocelli/language';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { scaleSchema } from '../../src/recipe/schema.js';
import { languageConfig } from '../../src/reproduce/pretrain.js';
import { runVariant } from '../../src/reproduce/variant-run.js';
import { prepareWorld } from '../../src/reproduce/world.js';
import { memoryReporter, neverAborted, ocelli, readJson, temporaryFolder, tinyConfig } from '../train/tiny-run.js';

afterEach(() => vi.unstubAllEnvs());
afterAll(() => closeEngine());

it('a run of a reproduction is evaluated to the answers that it was scored by', async () => {
  const folder = await temporaryFolder();
  vi.stubEnv('OCELLI_CACHE', join(folder, 'cache'));
  const pretraining = { steps: 1, batchSize: 4, learningRate: 1e-3 };
  const scale = scaleSchema.parse({
    seeds: 1,
    world: {
      seed: 1,
      imageSize: 32,
      scenes: { train: 16, test: 5 },
      questionsPerScene: 2,
      questionTypes: ['existence', 'colour'],
    },
    vocabularySize: 300,
    template: TEMPLATES.honeybee_default,
    vision: { config: tinyConfig.vision.config, pretraining },
    language: { config: tinyConfig.language.config, pretraining },
    variants: { linear: { type: 'linear' } },
    stages: [
      {
        name: 'tuning',
        data: 'questions',
        trainable: ['projector', 'language'],
        steps: 5,
        batchSize: 4,
        learningRate: 1e-2,
      },
    ],
  });
  const context = { reporter: memoryReporter(), signal: neverAborted };
  const world = await prepareWorld(scale, context);
  const shared = { vision: join(folder, 'vision'), language: join(folder, 'language') };
  await saveWeights(shared.vision, new ClipVisionTower(tinyConfig.vision.config).initialize(1));
  await saveWeights(shared.language, new Llama(languageConfig(scale, world)).initialize(1));
  const run = join(folder, 'runs', 'linear', 'seed-1');
  const { questions } = await runVariant({ scale, world, shared, variant: 'linear', seed: 1, folder: run }, context);
  expect(questions).toHaveLength(10);

  expect(await ocelli('eval', run)).toMatchObject({ code: 0, errors: '' });
  const { answers } = await readJson<{ answers: unknown }>(join(run, 'evaluation-test.json'));
  expect(answers).toEqual(questions);
});
