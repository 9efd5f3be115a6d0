import { z } from 'zod';
import { firstIssue } from '../data-error.js';
import { RESAMPLE_FILTERS, type ResampleFilter } from '../image/resample-filter.js';
import { GridError } from './grid-error.js';
import { parsePinpoints } from './pinpoints.js';

const side = z.int().positive().max(65_536);

/** What {@link imageGrid} accepts. */
export const imageGridSchema = z
  .strictObject({
    /** Side in pixels of the square that a vision tower takes. */
    tile: side,
    /** Canvases to choose from; their sides are multiples of a tile's. */
    candidates: z.array(z.strictObject({ width: side, height: side })).min(1),
    /**
     * A grid of clearly more visual tokens than so many tiles have is resized to about that many (`anyres_max_9`);
     * `null` for no limit (`anyres`).
     */
    maximumTiles: z.int().positive().nullable().default(null),
    /** Filter that images are resized with. */
    filter: z.enum(RESAMPLE_FILTERS as [ResampleFilter, ...ResampleFilter[]]).default('bicubic'),
    /**
     * What becomes of the images of a conversation that has several: `square` pads each to a square and makes it one
     * tile, as the published models do; `grid` treats each as if it were alone.
     */
    severalImages: z.enum(['square', 'grid']).default('square'),
  })
  .superRefine(({ tile, candidates }, context) => {
    const index = candidates.findIndex(({ width, height }) => width % tile !== 0 || height % tile !== 0);
    if (index === -1) return;
    const { width, height } = candidates[index]!;
    const message = `${width}x${height} is no whole number of tiles of ${tile} pixels`;
    context.addIssue({ code: 'custom', path: ['candidates', index], message });
  });

/**
 * How images of any resolution become tiles of one: which canvases there are, and how many visual tokens may remain.
 * Plain data, JSON-serialisable.
 */
export type ImageGrid = Readonly<z.output<typeof imageGridSchema>>;

/** An {@link ImageGrid} with its defaults left out. */
export type ImageGridConfig = z.input<typeof imageGridSchema>;

/**
 * Validates a grid and fills in its defaults.
 *
 * @throws GridError naming the field that is missing, unknown or out of range
 */
export function imageGrid(config: ImageGridConfig): ImageGrid {
  const parsed = imageGridSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new GridError({
    operation: 'imageGrid',
    expected: 'a tile, and canvases made of such tiles',
    received: firstIssue(parsed.error),
    remedy: 'correct the named field',
    value: config,
  });
}

/** The keys of a LLaVA model's `config.json` that decide its grid. */
export interface ImageGridKeys {
  /** `anyres` and `anyres_max_9` are grids; everything else (`square`, `pad`) is one tile an image. */
  readonly image_aspect_ratio: string;
  readonly image_grid_pinpoints?: string | readonly (readonly number[])[] | null | undefined;
}

/**
 * The grid that a model's `config.json` asks for, or `undefined` where it takes every image as one tile.
 *
 * @param tile side in pixels of the vision tower's input
 * @throws GridError if the aspect ratio is of an unknown kind, or asks for a grid without naming canvases
 */
export function imageGridFromConfig(
  { image_aspect_ratio: aspect, image_grid_pinpoints: pinpoints }: ImageGridKeys,
  tile: number,
): ImageGrid | undefined {
  if (aspect === 'square' || aspect === 'pad') return undefined;
  const match = /^anyres(?:_max_([1-9]\d*))?$/.exec(aspect);
  if (match === null || !pinpoints) {
    throw new GridError({
      operation: 'imageGridFromConfig',
      expected: 'image_aspect_ratio square or pad, or anyres or anyres_max_N with image_grid_pinpoints',
      received: JSON.stringify({ image_aspect_ratio: aspect, image_grid_pinpoints: pinpoints }),
      remedy: 'describe the grid with imageGrid()',
      value: aspect,
    });
  }
  const maximumTiles = match[1] === undefined ? null : Number(match[1]);
  return imageGrid({ tile, candidates: parsePinpoints(pinpoints, tile), maximumTiles });
}

/**
 * The grids of LLaVA-OneVision and LLaVA-OV-Manager (tiles of SigLIP so400m/14-384): `anyres` of stage 1.5 with five
 * canvases, `anyres_max_9` of stage 2 and evaluation with all of up to 6 × 6 tiles.
 */
export const PUBLISHED_GRIDS = {
  anyres: imageGrid({
    tile: 384,
    candidates: parsePinpoints('[(384, 768), (768, 384), (768, 768), (1152, 384), (384, 1152)]', 384),
  }),
  anyres_max_9: imageGrid({ tile: 384, candidates: parsePinpoints('(1x1),...,(6x6)', 384), maximumTiles: 9 }),
} as const satisfies Readonly<Record<string, ImageGrid>>;
