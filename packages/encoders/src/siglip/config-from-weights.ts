import { type CheckpointReader, ConfigError } from '@ocelli/core-tensor';
import type { TowerLayout } from '../checkpoint/choose-layout.js';
import { imageSizeOf, readVitShapes } from '../checkpoint/vit-shapes.js';
import { parseSiglipVisionConfig, type SiglipVisionConfig, siglipVisionConfigs } from './config.js';

const names = {
  patches: 'vision_model.embeddings.patch_embedding.weight',
  positions: 'vision_model.embeddings.position_embedding.weight',
  feedForward: 'vision_model.encoder.layers.0.mlp.fc1.weight',
  block: /^vision_model\.encoder\.layers\.(\d+)\./,
};

/**
 * The structure of a tower from the shapes of its tensors, where no file tells it. Shapes do not tell the number of
 * heads, the activation and the like: these come from a published tower of the same width and patches.
 *
 * @param known the published tower. Default: the one that fits best
 * @throws ConfigError if there is none, or the shapes are not those of such a tower
 */
export function siglipVisionConfigFromWeights(
  operation: string,
  reader: CheckpointReader,
  { prefix }: TowerLayout,
  known?: SiglipVisionConfig,
): SiglipVisionConfig {
  const { positions, ...sizes } = readVitShapes(reader, prefix, names);
  const base = known ?? publishedTower(sizes, positions);
  const imageSize = imageSizeOf(positions, sizes.patchSize, base ?? {});
  if (!base || Object.values(sizes).includes(0) || Number.isNaN(imageSize)) {
    throw new ConfigError({
      operation,
      expected: `tensors of a SigLIP vision tower as wide, and with patches as large, as one of ${Object.keys(siglipVisionConfigs).join(', ')}`,
      received: `width ${sizes.hiddenSize}, patches of ${sizes.patchSize}, ${positions} positions, ${sizes.numHiddenLayers} blocks`,
      remedy: 'Give the configuration.',
    });
  }
  const visionUseHead = reader.has(`${prefix}vision_model.head.probe`);
  return parseSiglipVisionConfig({ ...base, ...sizes, imageSize, visionUseHead });
}

/** The tower with this width and these patches; the one with this grid, if there is one. */
function publishedTower(
  { hiddenSize, patchSize }: { readonly hiddenSize: number; readonly patchSize: number },
  positions: number,
): SiglipVisionConfig | undefined {
  const fitting = Object.values<SiglipVisionConfig>(siglipVisionConfigs).filter(
    (each) => each.hiddenSize === hiddenSize && each.patchSize === patchSize,
  );
  return fitting.find((each) => Math.floor(each.imageSize / each.patchSize) ** 2 === positions) ?? fitting[0];
}
