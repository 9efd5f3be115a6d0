import type { CheckpointReader } from '@ocelli/core-tensor';

/** Names of the tensors that the structure of a transformer shows in. */
export interface VitTensorNames {
  /** [width, channels, patch, patch] */
  readonly patches: string;
  /** [positions, width] */
  readonly positions: string;
  /** Of the first block: [intermediate width, width] */
  readonly feedForward: string;
  /** Matches the names of every block, its number in the first group. */
  readonly block: RegExp;
}

/** Sizes of a transformer; 0 where a tensor is absent. */
export interface VitShapes {
  readonly hiddenSize: number;
  readonly numChannels: number;
  readonly patchSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly positions: number;
}

/** Sizes of the transformer whose tensors have these names behind a prefix. */
export function readVitShapes(reader: CheckpointReader, prefix: string, names: VitTensorNames): VitShapes {
  const shapeOf = (name: string) => (reader.has(prefix + name) ? reader.info(prefix + name).shape : []);
  const [hiddenSize = 0, numChannels = 0, patchSize = 0] = shapeOf(names.patches);
  const [positions = 0] = shapeOf(names.positions);
  const [intermediateSize = 0] = shapeOf(names.feedForward);
  const blocks = reader
    .keys()
    .flatMap((key) => (key.startsWith(prefix) ? (names.block.exec(key.slice(prefix.length))?.[1] ?? []) : []));
  const numHiddenLayers = new Set(blocks).size;
  return { hiddenSize, numChannels, patchSize, intermediateSize, numHiddenLayers, positions };
}

/**
 * Side of the images that a square table of positions was made for: that of a known configuration where it has this
 * grid (its images may be a little larger than the grid), else of the grid itself. NaN for a table of no square grid.
 */
export function imageSizeOf(
  positions: number,
  patchSize: number,
  known: { readonly imageSize?: number; readonly patchSize?: number },
): number {
  const grid = Math.sqrt(positions);
  if (!Number.isInteger(grid) || grid < 1) return Number.NaN;
  const { imageSize = 0 } = known;
  const isKnown = known.patchSize === patchSize && Math.floor(imageSize / patchSize) === grid;
  return isKnown ? imageSize : grid * patchSize;
}
