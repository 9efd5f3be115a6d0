import type { TwoTowerConfig } from '../two-tower/config.js';
import { twoTowerConfigs, twoTowerTasks } from '../two-tower/published-configs.js';
import {
  exactParameters,
  millions,
  type PublishedFigure,
  type PublishedStage,
  type PublishedVariant,
  visualTokens,
} from './published-variant.js';

/** Everything but the heads, which table VI does not count. */
const counted = [
  'text-encoder',
  'vision-encoder',
  'projections',
  'embeddings',
  'managers',
  'bridges',
  'cross-modal',
  'poolers',
];

/** A row of table VI, "# Params". */
function total(printed: string): PublishedFigure {
  return millions(printed, 'TCSVT 2025 paper, table VI', {
    parts: counted,
    // 252 positions more of width 768, and what CLIP's text side leaves in the checkpoint: 77 positions and a norm of 512.
    beside: 252 * 768 + 77 * 512 + 2 * 512,
    note: 'all rows agree if they count 577 positions, those of 384 pixels, and unused weights of the text side of CLIP',
  });
}

/** FLOPs of table VI, which are multiplications with their additions. */
function operations(printed: number): PublishedFigure {
  return {
    quantity: 'macs',
    image: [384, 384],
    value: printed * 1e9,
    // What is left, up to 0.2 %, is elementwise, which is not counted here.
    tolerance: printed * 1e9 * 0.005,
    source: 'TCSVT 2025 paper, table VI',
    note: 'multiplications with their additions, at 384 pixels and 50 tokens',
  };
}

function pretraining(imageSize: number): PublishedStage {
  return {
    name: 'pre-training',
    trainable: ['*'],
    batchSize: 4096,
    maximumLength: 50,
    source: `scripts/pre_train.sh: ${imageSize} pixels, 50 tokens`,
  };
}

function base(title: string, config: TwoTowerConfig, figures: readonly PublishedFigure[]): PublishedVariant {
  return {
    title,
    architecture: { kind: 'two-tower', config },
    stages: [pretraining(288)],
    figures: [visualTokens(325, 'config.py: 288 pixels, patches of 16, class token'), ...figures],
  };
}

/** Batch sizes and lengths of the fine-tuning scripts. */
const taskStages = {
  vqav2: { title: 'VQAv2', batchSize: 504, maximumLength: 50, tokens: 1297 },
  'snli-ve': { title: 'SNLI-VE', batchSize: 64, maximumLength: 50, tokens: 577 },
  nlvr2: { title: 'NLVR²', batchSize: 256, maximumLength: 50, tokens: 577 },
  flickr30k: { title: 'Flickr30K', batchSize: 512, maximumLength: 40, tokens: 577 },
} as const;

/** ManagerTower as it is fine-tuned for a task. */
function task(name: keyof typeof taskStages): PublishedVariant {
  const { title, batchSize, maximumLength, tokens } = taskStages[name];
  const { imageSize, heads } = twoTowerTasks[name];
  const config: TwoTowerConfig = {
    vision: { patchSize: 16, imageSize },
    // NLVR² has a third kind of tokens: those of the second image.
    ...(name === 'nlvr2' && { fusion: { tokenTypes: 3 } }),
    heads,
  };
  const source = `fine-tuning script: ${imageSize} pixels, ${maximumLength} tokens`;
  return {
    title: `ManagerTower-base for ${title}`,
    architecture: { kind: 'two-tower', config },
    stages: [{ name: 'fine-tuning', trainable: ['*'], batchSize, maximumLength, source }],
    figures: [
      visualTokens(tokens, `${imageSize} pixels, patches of 16, class token`),
      exactParameters(12_062_292, 'ManagerTower heads.py, D = 768, N = 6', { parts: ['managers'] }),
    ],
  };
}

const heads = { maskedLanguageModel: {}, imageTextMatching: {} } as const;

/**
 * ManagerTower and BridgeTower (Xu et al. 2023, arXiv 2306.00103; 2025, arXiv 2506.11515). Base models only: no larger
 * ones were published.
 */
export const managerTowerVariants = {
  'managertower-base': base('ManagerTower-base', twoTowerConfigs['managertower-base'], [
    total('338.64'),
    operations(105.52),
    exactParameters(12_062_292, 'ManagerTower heads.py, D = 768, N = 6', { parts: ['managers'] }),
    {
      ...millions('124', 'TCSVT 2025 paper, section IV', { parts: ['text-encoder'], note: 'rounded down' }),
      tolerance: 1e6,
    },
    millions('86', 'TCSVT 2025 paper, section IV', { parts: ['vision-encoder'] }),
    millions('113', 'TCSVT 2025 paper, section IV', { parts: ['cross-modal'] }),
  ]),
  'managertower-base-static': base(
    'ManagerTower-base, static unimodal managers',
    twoTowerConfigs['managertower-base-static'],
    [
      total('326.77'),
      exactParameters(2 * (13_826 + 5 * 16_130), 'ManagerTower heads.py, D = 768, N = 6', { parts: ['managers'] }),
    ],
  ),
  'managertower-base-own-query': base(
    'ManagerTower-base, adaptive managers without the cross-attention query',
    { fusion: { manager: { query: 'own' } }, heads },
    [total('326.77')],
  ),
  'bridgetower-base': base('BridgeTower-base', twoTowerConfigs['bridgetower-base'], [
    total('326.58'),
    operations(101.25),
  ]),
  'meter-base': base('METER-CLIP-base', twoTowerConfigs['meter-base'], []),
  'managertower-base-vqav2': task('vqav2'),
  'managertower-base-snli-ve': task('snli-ve'),
  'managertower-base-nlvr2': task('nlvr2'),
  'managertower-base-flickr30k': task('flickr30k'),
} as const satisfies Readonly<Record<string, PublishedVariant>>;
