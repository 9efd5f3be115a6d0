import { clipVisionConfigs } from '@ocelli/encoders';
import { llamaConfigs } from '@ocelli/language';
import { convLlavaTrainingStages } from '../stages/convllava.js';
import { convLlavaVision } from '../stages/convllava-vision.js';
import type { VisionConfigInput } from '../vision.js';
import {
  exactParameters,
  millions,
  type PublishedFigure,
  type PublishedStage,
  type PublishedSystem,
  type PublishedVariant,
  visualTokens,
} from './published-variant.js';

const language = llamaConfigs['vicuna-7b-v1.5'];

/** `mlp2x_gelu` */
const projector = { type: 'mlp', depth: 2, activation: 'gelu', weightStart: 'uniform' } as const;

interface Encoder {
  readonly vision: VisionConfigInput;
  readonly featureLayer?: number;
}

function variant(
  title: string,
  { vision, featureLayer }: Encoder,
  { stages, figures }: { readonly stages: readonly PublishedStage[]; readonly figures: readonly PublishedFigure[] },
): PublishedVariant {
  const config = { vision, projector, language, ...(featureLayer !== undefined && { featureLayer }) };
  return { title, architecture: { kind: 'vision-language', config }, stages, figures };
}

interface FiveStages {
  readonly imageSize: 768 | 1024 | 1536;
  readonly tokens: number;
  readonly depth?: number;
  /** Stage of the encoder, counted from 1, that training begins with. Default: the third. */
  readonly from?: number;
  readonly figures?: readonly PublishedFigure[];
}

function fiveStages({ imageSize, tokens, depth = 6, from = 3, figures = [] }: FiveStages): PublishedVariant {
  const vision = convLlavaVision({ imageSize, addedStageDepth: depth });
  const isFinal = depth === 6 && from === 3;
  const changes = [
    ...(depth === 6 ? [] : [`fifth stage of ${depth} blocks`]),
    ...(from === 3 ? [] : [`trained from stage ${from}`]),
  ];
  const table = isFinal ? 5 : depth === 6 ? 9 : 10;
  return variant(
    [`ConvLLaVA-7B at ${imageSize} pixels`, ...changes].join(', '),
    { vision },
    {
      stages: convLlavaTrainingStages(vision, {
        protocol: isFinal ? 'final' : 'fifth-stage',
        trainFrom: { stage: from - 1 },
      }),
      figures: [visualTokens(tokens, `paper, table ${table}`), ...figures],
    },
  );
}

const formula = 'formula of the blocks, checked against timm';

/** What the final models' figures have in common. Multiplications are of the encoder. */
function finalFigures(visionMacs: number): PublishedFigure[] {
  const inVision = { parts: ['vision'] };
  return [
    exactParameters(669_161_664, formula, inVision),
    exactParameters(29_368_320, 'mlp2x_gelu 3072 → 4096', { parts: ['projector'] }),
    millions('472.9', formula, { quantity: 'trained', stage: 'projector-initialisation', ...inVision }),
    millions('664.3', formula, { quantity: 'trained', stage: 'vision-language-pretraining', ...inVision }),
    { quantity: 'visionMacs', value: visionMacs, tolerance: 0.5e9, source: formula },
  ];
}

interface FourStages {
  readonly imageSize: 512 | 768;
  readonly tokens: number;
  readonly protocol: 'frozen' | 'updated';
}

function fourStages({ imageSize, tokens, protocol }: FourStages): PublishedVariant {
  const vision = convLlavaVision({ imageSize, addedStageDepth: 0 });
  const last18Blocks = millions('133.1', formula, {
    quantity: 'trained',
    stage: 'vision-language-pretraining',
    parts: ['vision'],
  });
  return variant(
    `ConvNeXt-L at ${imageSize} pixels, four stages, ${protocol}`,
    { vision },
    {
      stages: convLlavaTrainingStages(vision, { protocol }),
      figures: [
        visualTokens(tokens, `paper, table ${protocol === 'updated' ? 3 : 2}`),
        exactParameters(196_227_264, formula, { parts: ['vision'] }),
        {
          ...millions('200', 'paper, table 2', { parts: ['vision'], note: 'rounded to tens of millions' }),
          tolerance: 5e6,
        },
        ...(protocol === 'updated' ? [last18Blocks] : []),
      ],
    },
  );
}

/** CLIP in place of ConvNeXt; of its 24 layers, the last 12 are updated. */
function clip(protocol: 'frozen' | 'updated'): PublishedVariant {
  const vision = clipVisionConfigs['clip-vit-large-patch14-336'];
  const last12 = Array.from({ length: 12 }, (_, index) => `vision.vision_model.encoder.layers.${12 + index}`);
  const stages = convLlavaTrainingStages(convLlavaVision({ addedStageDepth: 0 }), { protocol });
  return variant(
    `ViT-L/14 at 336 pixels, ${protocol}`,
    { vision, featureLayer: -2 },
    {
      stages: stages.map((stage) => ({ ...stage, trainable: withEncoderPart(stage.trainable, last12) })),
      figures: [
        visualTokens(576, `paper, table ${protocol === 'updated' ? 3 : 2}`),
        millions('304', 'paper, table 2', { parts: ['vision'] }),
      ],
    },
  );
}

/** Patterns with others for the encoder, where it trains. */
function withEncoderPart(trainable: readonly string[], part: readonly string[]): string[] {
  const others = trainable.filter((pattern) => !pattern.startsWith('vision.'));
  return others.length === trainable.length ? others : [...part, ...others];
}

/**
 * ConvLLaVA (Ge et al. 2024, "ConvLLaVA: Hierarchical Backbones as Visual Encoder for Large Multimodal Models", arXiv
 * 2405.15738): the final models (table 5), where training begins and depths of the fifth stage
 * (tables 9 and 10), and the encoders of tables 2 and 3.
 */
export const convLlavaSystem = {
  title: 'ConvLLaVA',
  paper: 'arXiv 2405.15738',
  variants: {
    '768': fiveStages({ imageSize: 768, tokens: 144, figures: finalFigures(472e9) }),
    '1024': fiveStages({ imageSize: 1024, tokens: 256, figures: finalFigures(839e9) }),
    '1536': fiveStages({ imageSize: 1536, tokens: 576, figures: finalFigures(1888e9) }),
    '768-depth-3': fiveStages({ imageSize: 768, tokens: 144, depth: 3 }),
    '768-depth-9': fiveStages({ imageSize: 768, tokens: 144, depth: 9 }),
    '1536-depth-3': fiveStages({ imageSize: 1536, tokens: 576, depth: 3 }),
    '768-from-stage-2': fiveStages({ imageSize: 768, tokens: 144, from: 2 }),
    '768-from-stage-4': fiveStages({ imageSize: 768, tokens: 144, from: 4 }),
    'four-stage-512-frozen': fourStages({ imageSize: 512, tokens: 256, protocol: 'frozen' }),
    'four-stage-768-frozen': fourStages({ imageSize: 768, tokens: 576, protocol: 'frozen' }),
    'four-stage-512-updated': fourStages({ imageSize: 512, tokens: 256, protocol: 'updated' }),
    'four-stage-768-updated': fourStages({ imageSize: 768, tokens: 576, protocol: 'updated' }),
    'vit-l-336-frozen': clip('frozen'),
    'vit-l-336-updated': clip('updated'),
  },
} as const satisfies PublishedSystem;
