import type { ImageSize } from '../image/rgb-image.js';
import { GridError } from './grid-error.js';
import type { ImageGrid } from './image-grid.js';
import { selectBestResolution } from './select-best-resolution.js';

/** A rectangle of pixels. */
export interface ContentBox extends ImageSize {
  readonly left: number;
  readonly top: number;
}

/** Rows and columns of features. */
export interface FeatureGrid {
  readonly rows: number;
  readonly columns: number;
}

/** What of a grid of features belongs to the image, and not to the black around it. */
export interface UnpaddedGrid extends FeatureGrid {
  /** Rows that are cut off above; as many are below. */
  readonly top: number;
  /** Columns that are cut off on the left; as many are on the right. */
  readonly left: number;
}

/** How one image becomes tiles, and their features visual tokens. */
export interface GridLayout {
  /** The chosen canvas, in pixels. */
  readonly canvas: ImageSize;
  /** Tiles of the canvas. The vision tower sees one more, the whole image, in front of them. */
  readonly tiles: FeatureGrid;
  /** Where the resized image is on the canvas. */
  readonly content: ContentBox;
  /** Side of the square of features that one tile has. */
  readonly featuresPerSide: number;
  /** Features of all tiles together. */
  readonly features: FeatureGrid;
  readonly unpadded: UnpaddedGrid;
  /** Features after resizing to the maximum; those of `unpadded` where there are not too many. */
  readonly kept: FeatureGrid;
  /** Visual tokens of the whole image in front of those of the grid. */
  readonly baseTokens: number;
  /** Newlines among the tokens, one at the end of every row of `kept`. */
  readonly newlineTokens: number;
  /** baseTokens + kept.rows · (kept.columns + 1) */
  readonly tokens: number;
}

/** Grids with up to this many times the side that the maximum allows are left as they are. */
const TOLERATED_EXCESS = 1.1;

/**
 * Lays out an image of any size: the best canvas, where the image is on it, which features show it, and how many visual
 * tokens it takes. All published arithmetic is kept, whose roundings differ: the resized image is rounded up, the
 * features that show it are rounded down and then cut alike on both sides.
 *
 * An image of extreme aspect ratio may keep no row of features, and then has its `baseTokens` alone.
 *
 * Source: LLaVA-VL/LLaVA-NeXT `llava/mm_utils.py` (`resize_and_pad_image`) and `llava/model/llava_arch.py`
 * (`unpad_image`, `prepare_inputs_labels_for_multimodal`); LLaVA-OV-Manager has the same.
 *
 * @param image width and height of the file
 * @param featuresPerSide side of the square of visual tokens that one tile has
 * @throws GridError if featuresPerSide is not a positive integer
 * @throws ImageError if a side of the image is not a positive integer
 */
export function gridLayout(image: ImageSize, grid: ImageGrid, featuresPerSide: number): GridLayout {
  if (!Number.isInteger(featuresPerSide) || featuresPerSide < 1) {
    throw new GridError({
      operation: 'gridLayout',
      expected: 'featuresPerSide to be a positive integer',
      received: String(featuresPerSide),
      remedy: 'pass the square root of the visual tokens of a tile, for example 27',
      value: featuresPerSide,
    });
  }
  const canvas = selectBestResolution(image, grid.candidates);
  const tiles = { rows: canvas.height / grid.tile, columns: canvas.width / grid.tile };
  const features = { rows: tiles.rows * featuresPerSide, columns: tiles.columns * featuresPerSide };
  const unpadded = unpadGrid(image, features);
  const kept = grid.maximumTiles === null ? unpadded : limitGrid(unpadded, grid.maximumTiles * featuresPerSide ** 2);
  const baseTokens = featuresPerSide ** 2;
  return {
    canvas,
    tiles,
    content: fitOnCanvas(image, canvas),
    featuresPerSide,
    features,
    unpadded,
    kept: { rows: kept.rows, columns: kept.columns },
    baseTokens,
    newlineTokens: kept.rows,
    tokens: baseTokens + kept.rows * (kept.columns + 1),
  };
}

/** Where an image is that is resized to fill a canvas in one direction, and centred in the other. */
export function fitOnCanvas(image: ImageSize, canvas: ImageSize): ContentBox {
  const horizontal = canvas.width / image.width;
  const vertical = canvas.height / image.height;
  const { width, height } =
    horizontal < vertical
      ? { width: canvas.width, height: Math.min(Math.ceil(image.height * horizontal), canvas.height) }
      : { width: Math.min(Math.ceil(image.width * vertical), canvas.width), height: canvas.height };
  return {
    left: Math.floor((canvas.width - width) / 2),
    top: Math.floor((canvas.height - height) / 2),
    width,
    height,
  };
}

/** The rows or columns of features that show an image centred on the canvas they were computed from. */
export function unpadGrid(image: ImageSize, { rows, columns }: FeatureGrid): UnpaddedGrid {
  if (image.width / image.height > columns / rows) {
    const shown = Math.trunc(image.height * (columns / image.width));
    const top = Math.floor((rows - shown) / 2);
    return { top, left: 0, rows: rows - 2 * top, columns };
  }
  const shown = Math.trunc(image.width * (rows / image.height));
  const left = Math.floor((columns - shown) / 2);
  return { top: 0, left, rows, columns: columns - 2 * left };
}

/**
 * The size a grid is resized to where its sides exceed those of `maximum` features by more than a tenth; else its own.
 * The published code fails where nothing would be left of a side; one row or column is kept here.
 */
export function limitGrid({ rows, columns }: FeatureGrid, maximum: number): FeatureGrid {
  const excess = Math.sqrt((rows * columns) / maximum);
  if (excess <= TOLERATED_EXCESS) return { rows, columns };
  return {
    rows: Math.max(1, floorDivide(rows, excess)),
    columns: Math.max(1, floorDivide(columns, excess)),
  };
}

/** Python's `//` of positive floats, which floors the exact quotient and not the rounded one. */
function floorDivide(dividend: number, divisor: number): number {
  const quotient = (dividend - (dividend % divisor)) / divisor;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}
