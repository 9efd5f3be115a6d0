import { PUBLISHED_GRIDS } from '@ocelli/data';
import { managedModelConfigs } from '../managed/published-configs.js';
import { llavaOvManagerTrainingStages } from '../stages/llava-ov-manager.js';
import {
  exactParameters,
  millions,
  type PublishedArchitecture,
  type PublishedFigure,
  type PublishedVariant,
  visualTokens,
} from './published-variant.js';

const { vision, language } = managedModelConfigs['llava-ov-manager'];

/** The model without managers: SigLIP's last hidden state, before the final norm, through the same projector. */
function baseline(imageNewline: boolean): PublishedArchitecture {
  const projector = { type: 'mlp', depth: 2, activation: 'gelu', weightStart: 'uniform' } as const;
  return { kind: 'vision-language', config: { vision, projector, language, featureLayer: -1, imageNewline } };
}

const tableIV = 'TCSVT 2025 paper, table IV';

/** Sizes as [height, width]; the published code names width first. */
const gridFigures: readonly PublishedFigure[] = [
  visualTokens(1485, 'anyres_max_9 of the released code', { image: [384, 384] }),
  visualTokens(2929, 'anyres_max_9 of the released code', { image: [480, 640] }),
  visualTokens(7269, 'anyres_max_9 of the released code', { image: [1080, 1920] }),
  visualTokens(7371, 'anyres_max_9 of the released code', { image: [2304, 2304] }),
];

function variant(
  title: string,
  architecture: PublishedArchitecture,
  { grids, figures }: { readonly grids: boolean; readonly figures: readonly PublishedFigure[] },
): PublishedVariant {
  const managers = architecture.kind === 'managed';
  return {
    title,
    architecture,
    ...(grids && { grid: PUBLISHED_GRIDS.anyres_max_9 }),
    stages: llavaOvManagerTrainingStages({ managers, grids }),
    figures: [...(grids ? gridFigures : [visualTokens(729, 'SigLIP so400m/14-384: 27 × 27')]), ...figures],
  };
}

const baselineFigures = [
  millions('893.62', tableIV),
  exactParameters(1_836_800, 'mlp2x_gelu 1152 → 896', { parts: ['projector'] }),
];
const managedFigures = [
  millions('893.70', tableIV),
  exactParameters(80_640, 'manager.py, six managers and the embedding of the layers', { parts: ['managers'] }),
  exactParameters(1_836_800, 'mlp2x_gelu 1152 → 896', { parts: ['projector'] }),
];

/**
 * LLaVA-OV-Manager (Xu et al. 2025, "Manager", arXiv 2506.11515) and its baselines, all on Qwen2-0.5B: no larger ones
 * were published.
 */
export const llavaOvManagerVariants = {
  'llava-ov-manager-grid': variant(
    'LLaVA-OV-Manager-0.5B: Baseline + Grid + Manager',
    { kind: 'managed', config: managedModelConfigs['llava-ov-manager-grid'] },
    { grids: true, figures: managedFigures },
  ),
  'llava-ov-manager': variant(
    'LLaVA-OV-Manager-0.5B: Baseline + Manager',
    { kind: 'managed', config: managedModelConfigs['llava-ov-manager'] },
    { grids: false, figures: managedFigures },
  ),
  'llava-ov-grid': variant('LLaVA-OV-0.5B: Baseline + Grid', baseline(true), {
    grids: true,
    figures: [...baselineFigures, exactParameters(893_618_208, 'sum of the parts of the released code')],
  }),
  'llava-ov': variant('LLaVA-OV-0.5B: Baseline', baseline(false), { grids: false, figures: baselineFigures }),
} as const satisfies Readonly<Record<string, PublishedVariant>>;
