import { type LlamaName, llamaConfigs } from '@ocelli/language';
import { eagleMixtureConfig, eagleTowers } from '../mixture/eagle.js';
import type { EagleTrainingOptions } from '../stages/eagle.js';
import type { VisionConfigInput } from '../vision.js';
import { eagleProjector, searchFigures } from './eagle-figures.js';
import { eagleFusionVariants } from './eagle-fusions.js';
import { eagleStages } from './eagle-stages.js';
import {
  exactParameters,
  type PublishedFigure,
  type PublishedSystem,
  type PublishedVariant,
  visualTokens,
} from './published-variant.js';

/** Language models as the training knows them. */
const trainedAs = {
  'vicuna-7b-v1.5': 'vicuna',
  'vicuna-13b-v1.5': 'vicuna',
  'llama-3-8b': 'llama-3',
  'yi-34b': 'yi-34b',
} as const satisfies Partial<Record<LlamaName, EagleTrainingOptions['language']>>;

const channels = { x4: 6656, x5: 7680 } as const;

interface Model {
  readonly tower: keyof typeof channels;
  readonly language: keyof typeof trainedAs;
  readonly data?: 'cambrian';
  readonly clipInputSize?: number;
  readonly figures?: readonly PublishedFigure[];
}

function model(
  title: string,
  { tower, language: name, data, clipInputSize = 336, figures = [] }: Model,
): PublishedVariant {
  const language = llamaConfigs[name];
  const mixture = eagleMixtureConfig(eagleTowers[`eagle-${tower}`], { clipInputSize });
  const vision: VisionConfigInput = { ...mixture, type: 'mixture' };
  const [c, d] = [channels[tower], language.hiddenSize];
  return {
    title,
    architecture: { kind: 'vision-language', config: { vision, projector: eagleProjector, language } },
    stages: eagleStages({ data, language: trainedAs[name] }),
    figures: [
      visualTokens(1024, 'paper, table 4: channel concatenation on a grid of 32 × 32'),
      exactParameters((c + 1) * d + (d + 1) * d, `mlp2x_gelu ${c} → ${d}`, { parts: ['projector'] }),
      ...figures,
    ],
    note:
      clipInputSize === 336
        ? 'CLIP computes at 336 pixels, as in the released code; the paper says 448.'
        : 'CLIP computes at 448 pixels, as the paper says; the released code computes at 336.',
  };
}

const cambrian = { data: 'cambrian' } as const;

const search4 = searchFigures(['clip', 'convnext', 'eva02', 'pix2struct'], '1974.1');
const search5 = searchFigures(['clip', 'convnext', 'sam', 'eva02', 'pix2struct'], '2282.8');

/**
 * Eagle (Shi et al. 2024, "Eagle: Exploring The Design Space for Multimodal LLMs with Mixture of Encoders", arXiv
 * 2408.15998): the released models, and the fusions and encoders that they were chosen among.
 */
export const eagleSystem = {
  title: 'Eagle',
  paper: 'arXiv 2408.15998',
  variants: {
    'x4-7b': model('Eagle-X4-7B', { tower: 'x4', language: 'vicuna-7b-v1.5', figures: [search4] }),
    'x5-7b': model('Eagle-X5-7B', { tower: 'x5', language: 'vicuna-7b-v1.5', figures: [search5] }),
    'x4-13b': model('Eagle-X4-13B', { tower: 'x4', language: 'vicuna-13b-v1.5' }),
    'x5-13b': model('Eagle-X5-13B', { tower: 'x5', language: 'vicuna-13b-v1.5' }),
    'x4-8b': model('Eagle-X4-8B-Plus', { tower: 'x4', language: 'llama-3-8b', ...cambrian }),
    'x5-8b': model('Eagle-X5 with Llama-3-8B (table 8)', { tower: 'x5', language: 'llama-3-8b', ...cambrian }),
    'x5-34b': model('Eagle-X5-34B-Plus', { tower: 'x5', language: 'yi-34b', ...cambrian }),
    'x4-7b-448': model('Eagle-X4-7B as in the paper', {
      tower: 'x4',
      language: 'vicuna-7b-v1.5',
      clipInputSize: 448,
      figures: [search4],
    }),
    'x5-7b-448': model('Eagle-X5-7B as in the paper', {
      tower: 'x5',
      language: 'vicuna-7b-v1.5',
      clipInputSize: 448,
      figures: [search5],
    }),
    ...eagleFusionVariants,
  },
} as const satisfies PublishedSystem;
