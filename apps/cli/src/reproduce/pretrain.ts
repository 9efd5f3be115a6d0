import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Module, saveWeights, type Tensor, tensor } from '@ocelli/core-tensor';
import { Llama, type LlamaConfigInput } from '@ocelli/language';
import type { Loss, ResumableBatches } from '@ocelli/trainer';
import { PatchClassifier, patchLabels, toTensors, type VisionConfigInput, type VisionLanguageBatch } from '@ocelli/vlm';
import type { Scale } from '../recipe/schema.js';
import { trainingBatches } from './batches.js';
import { cached } from './cache.js';
import type { ReproduceContext } from './context.js';
import { trainOrResume } from './train-or-resume.js';
import { captionConversation, textConversation, type World } from './world.js';

/** Seed of the parts that all variants share. */
const seed = 1;

interface Pretraining<Inputs> {
  readonly name: string;
  /** All that decides the result beside the settings. */
  readonly content: unknown;
  readonly settings: Scale['vision']['pretraining'];
  readonly model: Module;
  /** The part that is kept. */
  readonly kept: Module;
  readonly loss: Loss<Inputs>;
  readonly batches: (state: unknown) => ResumableBatches<Inputs>;
}

/**
 * Trains a small vision encoder to name colour and shape of what each patch shows, or finds the one that was trained
 * before. Returns the folder of its weights.
 */
export function pretrainVision(scale: Scale, world: World, context: ReproduceContext): Promise<string> {
  const { config, featureLayer, pretraining: settings } = scale.vision;
  const model = new PatchClassifier(config as VisionConfigInput, featureLayer);
  const { grid } = model;
  const labels = new Map(world.train.map(({ id, scene }) => [id, patchLabels(scene, grid)]));
  const conversations = world.train.map(captionConversation);
  return pretrain(
    {
      name: 'vision',
      content: [world.identity, scale.vision],
      settings,
      model,
      kept: model.vision,
      loss: ({ pixels, colours, shapes }: { pixels: Tensor; colours: Tensor; shapes: Tensor }) =>
        model.loss(pixels, { colours, shapes }),
      batches: (state) =>
        trainingBatches(
          'vision',
          conversations,
          { scale, tokenizer: world.tokenizer, batchSize: settings.batchSize, visualTokens: 1, seed, state },
          (batch) => {
            const { images, height, width } = batch.shape;
            const stacked = (kind: 'colours' | 'shapes') => {
              const all = new Int32Array(images * grid * grid);
              batch.sampleIds.forEach((id, index) => {
                all.set(labels.get(id)![kind], index * grid * grid);
              });
              return tensor(all, [images, grid * grid]);
            };
            return {
              pixels: tensor(batch.pixelValues, [images, 3, height, width]),
              colours: stacked('colours'),
              shapes: stacked('shapes'),
            };
          },
        ),
    },
    context,
  );
}

/** The language model's configuration with the vocabulary of the world. */
export function languageConfig(scale: Scale, world: World): LlamaConfigInput {
  return { ...(scale.language.config as LlamaConfigInput), vocabSize: world.tokenizer.vocabularySize };
}

/**
 * Trains a small language model on captions in words and questions they answer, or finds the one that was trained
 * before. Returns the folder of its weights.
 */
export function pretrainLanguage(scale: Scale, world: World, context: ReproduceContext): Promise<string> {
  const { pretraining: settings } = scale.language;
  const model = new Llama(languageConfig(scale, world));
  const conversations = world.train.map(textConversation);
  return pretrain(
    {
      name: 'language',
      content: [world.identity, scale.language, scale.template],
      settings,
      model,
      kept: model,
      loss: ({ inputIds, labels }: Pick<VisionLanguageBatch, 'inputIds' | 'labels'>) =>
        model.forward({ inputIds, labels }).loss!,
      batches: (state) =>
        trainingBatches(
          'language',
          conversations,
          { scale, tokenizer: world.tokenizer, batchSize: settings.batchSize, visualTokens: 1, seed, state },
          (batch) => {
            const { inputIds, labels } = toTensors(batch);
            return { inputIds, labels };
          },
        ),
    },
    context,
  );
}

async function pretrain<Inputs>(
  { name, content, settings, model, kept, loss, batches }: Pretraining<Inputs>,
  context: ReproduceContext,
): Promise<string> {
  const { reporter } = context;
  let wasFound = true;
  const folder = await cached({ name, content: [content, settings] }, async (unfinished) => {
    wasFound = false;
    reporter.line(`Training the ${name} model that all variants share: ${settings.steps} steps`);
    const directory = join(unfinished, 'run');
    model.initialize(seed);
    await trainOrResume(
      {
        directory,
        model,
        loss,
        batches: ({ state }) => batches(state),
        config: {
          seed,
          stages: [
            {
              name: `${name} model`,
              trainable: ['*'],
              steps: settings.steps,
              learningRate: settings.learningRate,
              schedule: { name: 'cosine', warmupSteps: Math.ceil(settings.steps / 15) },
              optimizer: { betas: [0.9, 0.98] },
              weightDecay: 0.01,
            },
          ],
        },
      },
      context,
    );
    await saveWeights(unfinished, kept);
    await rm(directory, { recursive: true });
  });
  if (wasFound) reporter.line(`Found the ${name} model in ${folder}`);
  return folder;
}
