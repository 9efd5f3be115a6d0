import { ConfigError } from '@ocelli/core-tensor';
import {
  type AddedStage,
  addConvNextStage,
  type ConvNextConfig,
  ConvNextTower,
  convNextConfigs,
  parseConvNextConfig,
} from '@ocelli/encoders';
import type { VisionLanguageModel } from '../vision-language-model.js';

/** Choices of ConvLLaVA's encoder. */
export interface ConvLlavaVisionOptions {
  /** The tower that it is made of. Default: ConvNeXt-L, `clip-convnext-large-d-320`, without stochastic depth. */
  readonly base?: ConvNextConfig | undefined;
  /**
   * Side in pixels of the images: 768 (default), 1024 or 1536 in the published models; any will do. (The official
   * `mm_vision_resolution` has no effect up to 256.)
   */
  readonly imageSize?: number | undefined;
  /** Blocks of the stage that is added, `vision_add_five_stage`: a depth and no switch. 0 for none. Default: 6. */
  readonly addedStageDepth?: number | undefined;
  /**
   * Its width, `vision_five_stage_width`. Default: twice that of the last stage, as published: 3072. (Where the official
   * flag is left out, 1536.)
   */
  readonly addedStageWidth?: number | undefined;
  /**
   * `mm_vision_select_layer`: −1 (default) for the whole tower, −2 for one without the last block of its last stage, before
   * a stage is added; a tower that is loaded with five stages would lose a block of the fifth. It chooses no hidden state,
   * unlike elsewhere: which stage's map the model reads is `featureLayer`, −2 being the fourth of five.
   */
  readonly selectLayer?: number | undefined;
}

/**
 * Structure of ConvLLaVA's encoder (Ge et al. 2024, section 3.3; `convnext_encoder.py`).
 *
 * @throws ConfigError if a size is none, or the last stage would keep no block
 */
export function convLlavaVision({
  base = { ...convNextConfigs['clip-convnext-large-d-320'], dropPathRate: 0 },
  imageSize = 768,
  addedStageDepth = 6,
  addedStageWidth,
  selectLayer = -1,
}: ConvLlavaVisionOptions = {}): ConvNextConfig {
  const removed = -1 - selectLayer;
  const lastDepth = base.depths.at(-1)!;
  if (!Number.isInteger(selectLayer) || removed < 0 || removed >= lastDepth) {
    throw new ConfigError({
      operation: 'convLlavaVision',
      expected: `selectLayer from ${-lastDepth} to -1, as the last stage has ${lastDepth} blocks`,
      received: String(selectLayer),
    });
  }
  const width = addedStageWidth ?? 2 * base.hiddenSizes.at(-1)!;
  const adds = addedStageDepth !== 0;
  return parseConvNextConfig({
    ...base,
    imageSize,
    depths: [...base.depths.slice(0, -1), lastDepth - removed, ...(adds ? [addedStageDepth] : [])],
    hiddenSizes: [...base.hiddenSizes, ...(adds ? [width] : [])],
  });
}

/**
 * Gives the encoder of a fresh model its first values from a tower with one stage less, as ConvLLaVA's first stage starts:
 * stem and stages are the tower's, the last stage starts as `addConvNextStage` starts it, with PyTorch's defaults and not
 * with those of the other stages. For the first stage alone: later ones load the whole encoder.
 *
 * @param options.seed of the last stage. Default: 0
 * @throws ConfigError if the model's encoder is not the tower with one more stage
 */
export async function startFromFewerStages(
  { vision }: VisionLanguageModel,
  tower: ConvNextTower,
  { seed = 0 }: Pick<AddedStage, 'seed'> = {},
): Promise<void> {
  const structure = ({ depths, hiddenSizes }: ConvNextConfig) => ({ depths, hiddenSizes });
  const received = vision instanceof ConvNextTower ? structure(vision.config) : vision.config.type;
  const depth = vision instanceof ConvNextTower ? vision.config.depths.at(-1)! : 1;
  const width = vision instanceof ConvNextTower ? vision.width : 1;
  const { depths, hiddenSizes } = tower.config;
  const expected = { depths: [...depths, depth], hiddenSizes: [...hiddenSizes, width] };
  if (JSON.stringify(received) !== JSON.stringify(expected)) {
    throw new ConfigError({
      operation: 'startFromFewerStages',
      expected: `a model over the tower with one more stage, such as ${JSON.stringify(expected)}`,
      received: JSON.stringify(received),
      remedy: 'Make the encoder with convLlavaVision.',
    });
  }
  vision.loadState(await addConvNextStage(tower, { depth, width, seed }).state());
}
