import type { Module, Tensor } from '@ocelli/core-tensor';

/** What all encoders understand; most have further options of their own. */
export interface FeatureOptions {
  /**
   * Which hidden state: 0 is the input of the first block (or stage), −1 the output of the last one. Default: the one
   * that the systems take which use this encoder. An encoder that offers one kind of features only refuses any other.
   */
  readonly layer?: number | undefined;
}

/** What an encoder sees at one depth. */
export interface FeatureLevel {
  /** [batch, rows · columns, width], row by row; grid and width may differ from level to level. */
  readonly features: Tensor;
  readonly grid: readonly [rows: number, columns: number];
}

/** Turns images into features for a projector. */
export interface VisionEncoder extends Module {
  /** Structure; plain data. `type` is its id in the registry. */
  readonly config: { readonly type: string };
  /** Width of the features. */
  readonly width: number;
  /** Side in pixels of the square images that it is made for; undefined for one that takes something else than images. */
  readonly imageSize: number | undefined;
  /**
   * pixels [batch, channels, height, width] → [batch, rows · columns, width], row by row, as many as
   * {@link featureGrid} says.
   *
   * @throws ConfigError if there is no such layer
   * @throws ShapeError if the encoder does not take pixels of this shape
   */
  features(pixels: Tensor, options?: FeatureOptions): Tensor;
  /** Rows and columns of the features of an image of this size in pixels. Default: the configured size. */
  featureGrid(height?: number, width?: number, options?: FeatureOptions): [rows: number, columns: number];
  /**
   * What the encoder sees from its lowest to its highest depth, for managers: the input of the first block (or stage), the
   * output of each, and where there is more behind the last one, what that makes of it. All that is not asked for costs
   * nothing. Encoders that do not take images, or have one output, have no levels.
   *
   * pixels [batch, channels, height, width] → levels
   *
   * @throws ShapeError if the encoder does not take pixels of this shape
   */
  levels?(pixels: Tensor): readonly FeatureLevel[];
  /**
   * Of an encoder whose weights never change and lie in files of their own: copies these into a folder.
   *
   * @param subfolder of the folder, where they shall lie
   * @returns the configuration, with paths that start from the folder
   */
  copyFiles?(folder: string, subfolder?: string): Promise<{ readonly type: string }>;
}
