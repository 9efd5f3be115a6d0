import { type ImageGrid, imageGrid, PUBLISHED_GRIDS, parsePinpoints, RESAMPLE_FILTERS } from '@ocelli/data';
import { publishedGrid } from '@ocelli/vlm';
import { z } from 'zod';
import { heed, type Refuse } from './refuse.js';

const count = z.int().positive();

const names = Object.keys(PUBLISHED_GRIDS) as [keyof typeof PUBLISHED_GRIDS, ...(keyof typeof PUBLISHED_GRIDS)[]];

const expected = `expected one of ${names.join(', ')}, or a grid with candidates`;

/**
 * How images of any resolution are cut into tiles: `anyres` or `anyres_max_9` with the canvases of LLaVA-OneVision, counted
 * in tiles of the encoder, or canvases of one's own.
 */
export const gridSchema = z.union(
  [
    z.enum(names, expected),
    z.strictObject({
      /** Side in pixels of a tile. Default, and all that fits: that of the encoder's images. */
      tile: count.optional(),
      /** Sizes in pixels, or text as in LLaVA's `image_grid_pinpoints`, such as `(1x1),...,(3x3)`. */
      candidates: z.union([z.string().min(1), z.array(z.strictObject({ width: count, height: count })).min(1)]),
      maximumTiles: count.nullable().optional(),
      filter: z.enum(RESAMPLE_FILTERS as [string, ...string[]]).optional(),
      severalImages: z.enum(['square', 'grid']).optional(),
    }),
  ],
  expected,
);

/** What {@link gridSchema} accepts. */
export type GridChoice = z.output<typeof gridSchema>;

/**
 * The grid that is chosen, for tiles of the size that the encoder takes.
 *
 * @param key of the choice in the configuration
 * @throws ConfigError that names the key, if tiles are of another size, or canvases are not made of them
 */
export function resolveGrid(choice: GridChoice, side: number, key: string, refuse: Refuse): ImageGrid {
  if (typeof choice === 'string') return publishedGrid(choice, side);
  const { tile = side, candidates, ...rest } = choice;
  if (tile !== side) {
    throw refuse(`${key}.tile`, {
      expected: `${side}, the side of the encoder's images`,
      received: String(tile),
      remedy: 'Leave it out.',
    });
  }
  return heed(refuse, key, () => {
    const canvases = typeof candidates === 'string' ? parsePinpoints(candidates, side) : candidates;
    return imageGrid({ ...rest, tile, candidates: canvases } as Parameters<typeof imageGrid>[0]);
  });
}
