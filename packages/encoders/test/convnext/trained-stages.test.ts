import { ConfigError } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { ConvNextTower, convNextConfigs, convNextStagesFrom, type TrainedFrom } from '../../src/index.js';

function trainedCount(tower: ConvNextTower, from: TrainedFrom): number {
  tower.freeze().unfreeze(...convNextStagesFrom(tower.config, from));
  return Object.values(tower.trainableParameters()).reduce((total, { size }) => total + size, 0);
}

describe('convNextStagesFrom', () => {
  it('trains what ConvLLaVA trains', () => {
    const five = new ConvNextTower(convNextConfigs['convllava-convnext-768']);
    expect(trainedCount(five, { stage: 2 })).toBe(664_332_288);
    expect(trainedCount(five, { stage: 4 })).toBe(472_934_400);
    const four = new ConvNextTower(convNextConfigs['clip-convnext-large-d-320']);
    // "Last 18 blocks": 15 of the third stage, and the fourth.
    expect(trainedCount(four, { stage: 2, block: 12 }) / 1e6).toBeCloseTo(133.1, 1);
  });

  it('leaves the stem, and the downsampling layer in front of a later block, as they are', () => {
    expect(
      convNextStagesFrom(new ConvNextTower({ depths: [1, 3, 1], hiddenSizes: [2, 2, 2] }).config, {
        stage: 1,
        block: 1,
      }),
    ).toEqual(['encoder.stages.1.layers.1', 'encoder.stages.1.layers.2', 'encoder.stages.2']);
    const tower = new ConvNextTower({ depths: [1, 1], hiddenSizes: [2, 2] });
    tower.freeze().unfreeze(...convNextStagesFrom(tower.config, { stage: 0 }));
    const frozen = Object.entries(tower.namedParameters()).flatMap(([name, each]) => (each.requiresGrad ? [] : name));
    expect(frozen).toEqual([
      'embeddings.patch_embeddings.weight',
      'embeddings.patch_embeddings.bias',
      'embeddings.layernorm.weight',
      'embeddings.layernorm.bias',
    ]);
  });

  it('refuses a stage or a block that is not there', () => {
    const { config } = new ConvNextTower({ depths: [1, 3], hiddenSizes: [2, 2] });
    expect(() => convNextStagesFrom(config, { stage: 2 })).toThrow('stage as an index from 0 to 1');
    expect(() => convNextStagesFrom(config, { stage: 0, block: 1 })).toThrow('block as an index from 0 to 0');
    expect(() => convNextStagesFrom(config, { stage: -1 })).toThrow(ConfigError);
  });
});
