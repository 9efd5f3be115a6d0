import type { TwoTowerConfig } from '../two-tower/config.js';
import { type PublishedVariant, visualTokens } from './published-variant.js';

type Fusion = NonNullable<TwoTowerConfig['fusion']>;

/** Trained on VQAv2 without any pre-training before it: 576 pixels and a head of plain width. */
function ablation(title: string, fusion: Fusion, source: string): PublishedVariant {
  return {
    title: `${title}, without pre-training`,
    architecture: {
      kind: 'two-tower',
      config: {
        vision: { patchSize: 16, imageSize: 576 },
        fusion,
        heads: { visualQuestionAnswering: { hiddenScale: 1 } },
      },
    },
    stages: [
      { name: 'training', trainable: ['*'], batchSize: 512, maximumLength: 50, source: 'scripts/ftfs-base-vqa.sh' },
    ],
    figures: [visualTokens(1297, `TCSVT 2025 paper, ${source}: VQAv2 at 576 pixels`)],
  };
}

const tableI = (title: string, fusion: Fusion) => ablation(title, fusion, 'table I');

/** Rows of table II: so many cross-modal layers, of which BridgeTower takes as many layers of each tower. */
const layers = (numLayers: number) => ({
  [`ablation-aaum-${numLayers}-layers`]: ablation(
    `ManagerTower with ${numLayers} cross-modal layers`,
    { numLayers },
    'table II',
  ),
  [`ablation-bridgetower-${numLayers}-layers`]: ablation(
    `BridgeTower with ${numLayers} cross-modal layers`,
    { type: 'bridge', numLayers },
    'table II',
  ),
});

/** Managers and numbers of layers that the 2025 paper compares (tables I and II). */
export const managerTowerAblations: Readonly<Record<string, PublishedVariant>> = {
  'ablation-bridgetower': tableI('BridgeTower', { type: 'bridge' }),
  'ablation-sam-scalar': tableI('SAM, N × 1', { manager: { type: 'static', weightType: 'scalar' } }),
  'ablation-sam': tableI('SAM, N × D', { manager: { type: 'static' } }),
  'ablation-saum-scalar': tableI('SAUM, N × 1', { manager: { type: 'static-unimodal', weightType: 'scalar' } }),
  'ablation-saum': tableI('SAUM, N × D', { manager: { type: 'static-unimodal' } }),
  'ablation-aaum-own-query': tableI('AAUM, own query', { manager: { query: 'own' } }),
  'ablation-aaum': tableI('AAUM', {}),
  'ablation-concat-attention-own-query': tableI('concat-attention managers, own query', {
    manager: { type: 'concat-attention', query: 'own' },
  }),
  'ablation-concat-attention': tableI('concat-attention managers', { manager: { type: 'concat-attention' } }),
  'ablation-cross-attention-own-query': tableI('cross-attention managers, own query', {
    manager: { type: 'cross-attention', query: 'own' },
  }),
  'ablation-cross-attention': tableI('cross-attention managers', { manager: { type: 'cross-attention' } }),
  ...layers(2),
  ...layers(3),
  ...layers(4),
  ...layers(8),
};
