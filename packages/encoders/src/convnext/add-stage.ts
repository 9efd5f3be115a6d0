import { ConfigError, foldIn, type RandomKey, randomKey } from '@ocelli/core-tensor';
import { ConvNextTower } from './convnext-tower.js';
import { ConvNextStage } from './stage.js';

/** The stage that is added, and its first values. */
export interface AddedStage {
  /** Blocks. Default: 6, as ConvLLaVA. */
  readonly depth?: number;
  /** Width. Default: twice that of the last stage, as ConvLLaVA. */
  readonly width?: number;
  /** Of its first values, which depend on it and on the parameters' paths. Default: 0. */
  readonly seed?: number | RandomKey;
}

/**
 * A tower with one more stage behind the last, such as ConvLLaVA's fifth (Ge et al. 2024, section 3.3;
 * `ConvNeXtCLIPVisionTower.add_stage`). It shares stem and stages with the given tower: values, and whether they train.
 * The new stage trains, is never dropped, and starts with PyTorch's defaults: uniform ±1/√inputs, biases included, norms
 * 1 and 0, layer scale as configured. As the scales are near 0, its blocks begin close to the identity.
 *
 * @throws ConfigError if depth or width is not a positive integer
 */
export function addConvNextStage(tower: ConvNextTower, { depth = 6, width, seed = 0 }: AddedStage = {}): ConvNextTower {
  const { config, embeddings, encoder } = tower;
  const added = width ?? 2 * tower.width;
  for (const [name, value] of Object.entries({ depth, width: added })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ConfigError({
        operation: 'addConvNextStage',
        expected: `${name} as a positive integer`,
        received: `${value}`,
      });
    }
  }
  const stage = new ConvNextStage({
    inputWidth: tower.width,
    width: added,
    downsample: true,
    dropPathRates: Array.from({ length: depth }, () => 0),
    kernelSize: config.kernelSize,
    activation: config.hiddenAct,
    layerNormEps: config.layerNormEps,
    layerScaleInit: config.layerScaleInit,
  });
  const key = typeof seed === 'number' ? randomKey(seed) : seed;
  const path = `encoder.stages.${config.depths.length}`;
  for (const [name, parameter] of Object.entries(stage.namedParameters())) {
    parameter.initialize(foldIn(key, `${path}.${name}`));
  }
  const expanded = { ...config, depths: [...config.depths, depth], hiddenSizes: [...config.hiddenSizes, added] };
  return new ConvNextTower(expanded, { embeddings, stages: [...encoder.stages, stage] });
}
