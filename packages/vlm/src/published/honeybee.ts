import { clipVisionConfigs } from '@ocelli/encoders';
import { llamaConfigs } from '@ocelli/language';
import type { FittedProjectorConfigInput } from '../projection.js';
import { honeybeeTrainingStages } from '../stages/honeybee.js';
import {
  exactParameters,
  millions,
  type PublishedFigure,
  type PublishedSystem,
  type PublishedVariant,
  visualTokens,
} from './published-variant.js';

const sizes = {
  '7b': {
    vision: clipVisionConfigs['clip-vit-large-patch14'],
    language: llamaConfigs['vicuna-7b-v1.5'],
    features: 256,
  },
  '13b': {
    vision: clipVisionConfigs['clip-vit-large-patch14-336'],
    language: llamaConfigs['vicuna-13b-v1.5'],
  },
} as const;

type Size = keyof typeof sizes;

function variant(
  title: string,
  size: Size,
  projector: FittedProjectorConfigInput,
  figures: readonly PublishedFigure[],
): PublishedVariant {
  const { vision, language } = sizes[size];
  // The paper's feature layer; most configurations of the repository have the last one.
  const architecture = { kind: 'vision-language', config: { vision, projector, language, featureLayer: -2 } } as const;
  const trained = projector.type === 'd-abstractor' ? projector.type : 'c-abstractor';
  return {
    title: `Honeybee ${title}, ${vision.imageSize} pixels`,
    architecture,
    stages: honeybeeTrainingStages({ projector: trained }),
    figures,
  };
}

const built = 'official modules at these sizes';

/** Parameters of projectors: the official modules, built at the published sizes. They don't depend on M. */
const cAbstractor = { '7b': 37_070_336, '13b': 47_885_824 } as const;

function cAbstractorVariant(size: Size, tokens: number, source: string): PublishedVariant {
  return variant(`C-${size.toUpperCase()}, M = ${tokens}`, size, { type: 'c-abstractor', outputTokens: tokens }, [
    visualTokens(tokens, source),
    exactParameters(cAbstractor[size], built, { parts: ['projector'] }),
  ]);
}

function dAbstractorVariant(size: Size, tokens: number, parameters: number, source: string): PublishedVariant {
  return variant(`D-${size.toUpperCase()}, M = ${tokens}`, size, { type: 'd-abstractor', outputTokens: tokens }, [
    visualTokens(tokens, source),
    exactParameters(parameters, built, { parts: ['projector'] }),
  ]);
}

/** A projector of 144 tokens that table 9 compares with. */
function ablation(name: string, change: string, projector: FittedProjectorConfigInput): PublishedVariant {
  const config = { ...projector, outputTokens: 144 } as FittedProjectorConfigInput;
  return variant(`${name}-7B, M = 144, ${change}`, '7b', config, [visualTokens(144, 'paper, table 9')]);
}

function resamplerVariant(tokens: number, figures: readonly PublishedFigure[] = []): PublishedVariant {
  return variant(`resampler-7B, M = ${tokens}`, '7b', { type: 'resampler', outputTokens: tokens }, [
    visualTokens(tokens, 'paper, table 8'),
    ...figures,
  ]);
}

/**
 * Honeybee (Cha et al. 2024, "Honeybee: Locality-enhanced Projector for Multimodal LLM", arXiv 2312.06742): the final
 * models (tables 6 and 7), and the projectors that they are compared with (tables 3, 8 and 9).
 */
export const honeybeeSystem = {
  title: 'Honeybee',
  paper: 'arXiv 2312.06742',
  variants: {
    'c-7b-m144': cAbstractorVariant('7b', 144, 'paper, table 6'),
    'c-7b-m256': cAbstractorVariant('7b', 256, 'paper, table 7'),
    'd-7b-m144': dAbstractorVariant('7b', 144, 55_616_352, 'paper, table 6'),
    'c-13b-m256': cAbstractorVariant('13b', 256, 'paper, table 6'),
    'd-13b-m256': dAbstractorVariant('13b', 256, 57_108_544, 'paper, table 6'),
    'c-13b-m576': cAbstractorVariant('13b', 576, 'paper, table 7'),
    'c-7b-m64': cAbstractorVariant('7b', 64, 'paper, table 8'),
    'c-7b-m400': cAbstractorVariant('7b', 400, 'paper, table 8'),
    'linear-7b': variant('linear-7B', '7b', { type: 'linear' }, [
      visualTokens(256, 'paper, table 8'),
      exactParameters(4_198_400, built, { parts: ['projector'] }),
    ]),
    'mlp-7b': variant('MLP-2-7B', '7b', { type: 'mlp', depth: 2 }, [
      visualTokens(256, 'paper, table 9'),
      exactParameters(20_979_712, built, { parts: ['projector'] }),
    ]),
    'mlp6-7b': variant('MLP-6-7B', '7b', { type: 'mlp', depth: 6 }, [visualTokens(256, 'paper, table 9')]),
    'd-7b-m144-not-pooled': ablation('D', 'queries not pooled', { type: 'd-abstractor', pooledTarget: 'none' }),
    'd-7b-m144-no-grid': ablation('D', 'reference points not on a grid', {
      type: 'd-abstractor',
      referencePoints: 'queries',
    }),
    'c-7b-m144-convnext': ablation('C', 'ConvNeXt blocks', { type: 'c-abstractor', block: 'convnext' }),
    'c-7b-m144-convolution': ablation('C', 'plain convolutions', { type: 'c-abstractor', block: 'convolution' }),
    'resampler-7b-m144-positions': ablation('resampler', 'with positions', {
      type: 'resampler',
      positionEmbedding: true,
    }),
    'resampler-7b-m64': resamplerVariant(64),
    'resampler-7b-m144': resamplerVariant(144, [
      exactParameters(106_224_640, built, { parts: ['projector'] }),
      millions('105', 'paper, appendix A', {
        parts: ['projector'],
        agrees: false,
        note: 'the published numbers are of an earlier resampler; without its projection of the features this one has 105.2 M',
      }),
    ]),
    'resampler-7b-m256': resamplerVariant(256),
    'resampler-7b-m400': resamplerVariant(400),
  },
} as const satisfies PublishedSystem;
