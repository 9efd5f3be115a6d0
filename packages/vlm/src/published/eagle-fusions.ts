import { llamaConfigs } from '@ocelli/language';
import type { EncoderMixtureConfigInput } from '../mixture/config.js';
import { eagleMixtureConfig } from '../mixture/eagle.js';
import type { FittedProjectorConfigInput } from '../projection.js';
import type { EagleExpert } from '../stages/eagle.js';
import type { VisionConfigInput } from '../vision.js';
import { classifierOfConvNext, eagleProjector, searchFigures } from './eagle-figures.js';
import { type EagleStagesOptions, eagleStages } from './eagle-stages.js';
import { millions, type PublishedFigure, type PublishedVariant, visualTokens } from './published-variant.js';

const language = llamaConfigs['vicuna-7b-v1.5'];

/** Experts by their names in Eagle's towers. */
const towerNames: Readonly<Record<EagleExpert, string>> = {
  clip: 'clip-448',
  convnext: 'convnext-1024',
  sam: 'sam-1024',
  eva02: 'det-1024',
  pix2struct: 'pix2struct-1024',
};

/** The paper's mixtures: CLIP at 448 pixels, whose grid is that of ConvNeXt. */
function mixture(
  experts: readonly EagleExpert[],
  fusion?: EncoderMixtureConfigInput['fusion'],
  pyramid = false,
): VisionConfigInput {
  const { encoders } = eagleMixtureConfig(experts.map((expert) => towerNames[expert]).join(';'), {
    clipInputSize: 448,
  });
  return {
    type: 'mixture',
    encoders: encoders.map((expert, index) => ({ ...expert, pyramid: pyramid && experts[index] === 'convnext' })),
    ...(fusion && { fusion }),
  };
}

interface Fusion {
  readonly vision: VisionConfigInput;
  /** Default: Eagle's. */
  readonly projector?: FittedProjectorConfigInput;
  readonly stages?: EagleStagesOptions;
  readonly tokens?: number;
  readonly figures: readonly PublishedFigure[];
  readonly note?: string;
}

function variant(
  title: string,
  { vision, projector = eagleProjector, stages, tokens = 1024, figures, note }: Fusion,
): PublishedVariant {
  return {
    title,
    architecture: { kind: 'vision-language', config: { vision, projector, language } },
    stages: eagleStages(stages),
    figures: [visualTokens(tokens, 'paper, table 4'), ...figures],
    ...(note !== undefined && { note }),
  };
}

/** A row of table 4: encoders, fusion and projector. */
function row(
  experts: readonly EagleExpert[],
  printed: string,
  rest: Pick<PublishedFigure, 'agrees' | 'note'> & { readonly source?: string } = {},
): PublishedFigure {
  const { source = 'paper, table 4', ...others } = rest;
  return millions(printed, source, {
    parts: [...experts, 'fusion', 'projector'],
    beside: classifierOfConvNext,
    note: "counts ConvNeXt's unused classifier",
    ...others,
  });
}

/** Channel concatenation: a row of figure 4, and of table 4 where it is printed there. */
function concatenated(title: string, experts: readonly EagleExpert[], figures: readonly PublishedFigure[]) {
  return variant(title, { vision: mixture(experts), figures });
}

const two = ['clip', 'convnext'] as const;
const three = ['clip', 'convnext', 'sam'] as const;

function appended(title: string, experts: readonly EagleExpert[], printed: string): PublishedVariant {
  const tokens = 1024 * experts.length;
  return variant(title, {
    vision: mixture(experts, { type: 'sequence-append', outputWidth: language.hiddenSize }),
    projector: { ...eagleProjector, depth: 0 },
    // The scripts' 2048 tokens would leave no room for text.
    stages: { fusion: ['vision.fusion'], projector: false, maximumLength: tokens + 1024 },
    tokens,
    figures: [row(experts, printed)],
  });
}

interface Mined {
  /** Of what the projector reads; 1024, that of CLIP, in Mini-Gemini itself. */
  readonly width: number;
  /** Whether all stages of ConvNeXt are one map. */
  readonly pyramid?: boolean;
  readonly printed: string;
  readonly agrees?: boolean;
  readonly note?: string;
}

function mined(title: string, { width, pyramid = false, printed, agrees, note }: Mined): PublishedVariant {
  const fusion = { type: 'mini-gemini', ...(width !== 1024 && { miningWidth: width }) } as const;
  return variant(title, {
    vision: mixture(two, fusion, pyramid),
    stages: { fusion: ['vision.fusion'] },
    figures: [row(two, printed, { agrees, ...(note !== undefined && { note }) })],
    note: 'Eagle did not publish its Mini-Gemini: this is one of three readings.',
  });
}

const mgm = "Mini-Gemini's own fusion is smaller: Eagle's number is that of clip-convnext-mini-gemini-3072";

/** What Eagle's models were chosen among: the fusions of table 4, and the mixtures of figure 4, on Vicuna-7B. */
export const eagleFusionVariants = {
  'clip-convnext-concat': concatenated('CLIP + ConvNeXt, channel concatenation', two, [
    row(two, '1184'),
    searchFigures(two, '1155.2'),
  ]),
  'clip-convnext-append': appended('CLIP + ConvNeXt, sequence append', two, '1200'),
  'clip-convnext-llava-hr': variant('CLIP + ConvNeXt, LLaVA-HR', {
    vision: { type: 'llava-hr' },
    stages: { fusion: ['vision.align_stages_latent', 'vision.align_stages'] },
    figures: [row(two, '1219')],
  }),
  'clip-convnext-mini-gemini': mined('CLIP + ConvNeXt, Mini-Gemini on the last stage', {
    width: 1024,
    printed: '1201',
    agrees: false,
    note: mgm,
  }),
  'clip-convnext-mini-gemini-pyramid': mined('CLIP + ConvNeXt, Mini-Gemini on all stages', {
    width: 1024,
    pyramid: true,
    printed: '1201',
    agrees: false,
    note: mgm,
  }),
  'clip-convnext-mini-gemini-3072': mined('CLIP + ConvNeXt, Mini-Gemini that mines at width 3072', {
    width: 3072,
    printed: '1201',
  }),
  'clip-convnext-deformable': variant('CLIP + ConvNeXt, deformable attention', {
    vision: mixture(two, { type: 'deformable' }),
    stages: { fusion: ['vision.fusion'] },
    figures: [
      row(two, '1201', { agrees: false, note: 'widths, levels, norms and residual of this fusion were not published' }),
    ],
  }),
  'clip-convnext-sam-concat': concatenated('CLIP + ConvNeXt + SAM, channel concatenation', three, [
    row(three, '1495'),
    searchFigures(three, '1463.9'),
  ]),
  'clip-convnext-sam-append': appended('CLIP + ConvNeXt + SAM, sequence append', three, '1529'),
  'clip-convnext-pix2struct': concatenated(
    'CLIP + ConvNeXt + Pix2Struct',
    ['clip', 'convnext', 'pix2struct'],
    [searchFigures(['clip', 'convnext', 'pix2struct'], '1669.6')],
  ),
  x3: concatenated(
    'CLIP + ConvNeXt + EVA-02 (X3)',
    ['clip', 'convnext', 'eva02'],
    [searchFigures(['clip', 'convnext', 'eva02'], '1459.6')],
  ),
  'clip-convnext-sam-eva02': concatenated(
    'CLIP + ConvNeXt + SAM + EVA-02',
    ['clip', 'convnext', 'sam', 'eva02'],
    [searchFigures(['clip', 'convnext', 'sam', 'eva02'], '1768.4')],
  ),
} as const satisfies Readonly<Record<string, PublishedVariant>>;
