import { adaptiveAvgPool2d, Linear, Module, type Tensor } from '@ocelli/core-tensor';
import type { FeatureLevel } from '@ocelli/encoders';
import { type Grid, mapToTokens, resizeFeatureMap, tokensToMap } from '@ocelli/projectors';

/**
 * Brings levels of an encoder to the grid and the width of the last one, so that one projector takes them all: a larger
 * grid is averaged (adaptive average pooling), a smaller one enlarged (bilinear, corners keeping their places), and a
 * level of another width passes a linear layer of its own. Transformers have equal levels, and no weights here.
 */
export class LevelAlignment extends Module {
  /** By the number of the level; only of those whose width is another. */
  readonly projections: Readonly<Record<string, Linear>>;

  /**
   * @param levels of the encoder, of any image
   * @param managed numbers of the levels that are brought to the last one's form; others stay as they are
   */
  constructor(
    levels: readonly FeatureLevel[],
    private readonly managed: readonly number[],
  ) {
    super();
    const width = widthOf(levels.at(-1)!);
    this.projections = Object.fromEntries(
      managed.flatMap((index) => {
        const own = widthOf(levels[index]!);
        return own === width ? [] : [[`${index}`, new Linear(own, width)]];
      }),
    );
  }

  /** levels → the features of each, the managed ones [batch, features of the last level, its width] */
  forward(levels: readonly FeatureLevel[]): Tensor[] {
    const { grid } = levels.at(-1)!;
    return levels.map((level, index) => {
      if (!this.managed.includes(index)) return level.features;
      // Linear layers and averages may change places; on the smaller grid there is less to compute.
      const resized = onGrid(level, grid);
      return this.projections[index]?.forward(resized) ?? resized;
    });
  }
}

function widthOf({ features }: FeatureLevel): number {
  return features.shape[2]!;
}

function onGrid({ features, grid: own }: FeatureLevel, grid: Grid): Tensor {
  if (own.join() === grid.join()) return features;
  const map = tokensToMap(features, own);
  const isLarger = own[0] >= grid[0] && own[1] >= grid[1];
  return mapToTokens(isLarger ? adaptiveAvgPool2d(map, [grid[0], grid[1]]) : resizeFeatureMap(map, grid));
}
