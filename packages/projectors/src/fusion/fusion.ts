import type { Module, Tensor } from '@ocelli/core-tensor';
import type { FusionConfig } from './registry.js';

/** Rows and columns of a feature map. */
export type Grid = readonly [rows: number, columns: number];

/** Makes one sequence of tokens of the feature maps of several encoders. */
export interface Fusion extends Module {
  /** Structure; plain data. `type` is its id in the registry. */
  readonly config: FusionConfig;
  /** Width of the tokens. */
  readonly width: number;
  /**
   * Rows and columns of the tokens that maps of these sizes become. Appended sequences stand below one another, in one
   * column if they are not equally wide.
   *
   * @throws ShapeError if maps of these sizes do not go together
   */
  grid(grids: readonly Grid[]): Grid;
  /**
   * Maps in the order of `config.widths`, each [batch, width, rows, columns], or [batch, rows · columns, width] where it
   * is square → tokens [batch, rows · columns, width], row by row, as many as {@link grid} says.
   *
   * @throws ShapeError if the maps do not fit the configuration or each other
   */
  fuse(featureMaps: readonly Tensor[]): Tensor;
}
