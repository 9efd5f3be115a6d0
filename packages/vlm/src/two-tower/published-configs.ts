import type { PUBLISHED_AUGMENTATIONS } from '@ocelli/data';
import type { TwoTowerChanges } from './adapt.js';
import type { TwoTowerConfig } from './config.js';

const pretraining = { maskedLanguageModel: {}, imageTextMatching: {} } as const;

/**
 * The published base models as they are pre-trained, on images of 288 pixels; `adaptTwoTower` makes those of the tasks.
 * `managertower-base` is the released checkpoint. Sources: ManagerTower `config.py` and `scripts/pre_train.sh`; the
 * others are rows of tables I, III and VI of the 2025 paper. `meter-base` keeps all twelve layers of CLIP, as
 * ManagerTower's repository has it; the option `vit_remove_last` is `vision: { numHiddenLayers: 11 }`.
 */
export const twoTowerConfigs = {
  'managertower-base': { heads: pretraining },
  'managertower-base-static': { fusion: { manager: { type: 'static-unimodal' } }, heads: pretraining },
  'bridgetower-base': { fusion: { type: 'bridge' }, heads: pretraining },
  'meter-base': { fusion: { type: 'meter' }, heads: pretraining },
} as const satisfies Readonly<Record<string, TwoTowerConfig>>;

/** What the official scripts fine-tune on: size of the images, one of `PUBLISHED_AUGMENTATIONS` for them, and heads. */
export const twoTowerTasks = {
  vqav2: {
    imageSize: 576,
    augmentation: 'albef_randaug_wohf',
    heads: { visualQuestionAnswering: { hiddenScale: 2 } },
  },
  'snli-ve': { imageSize: 384, augmentation: 'albef_randaug_wc', heads: { visualEntailment: { hiddenScale: 2 } } },
  nlvr2: {
    imageSize: 384,
    augmentation: 'albef_randaug_wc',
    heads: { visualReasoning: { hiddenScale: 1, dropout: 0 } },
  },
  flickr30k: {
    imageSize: 384,
    augmentation: 'albef_randaug_wc',
    heads: { imageTextMatching: {}, imageTextContrast: {} },
  },
} as const satisfies Readonly<
  Record<string, TwoTowerChanges & { readonly augmentation: keyof typeof PUBLISHED_AUGMENTATIONS }>
>;
