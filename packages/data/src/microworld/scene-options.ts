import { z } from 'zod';
import { MicroworldError } from './microworld-error.js';
import { COLOURS, SHAPES, WORDS } from './names.js';
import { CANVAS } from './scene.js';

/** Smallest distance between an object and the border of its grid cell, canvas units. */
export const CELL_MARGIN = 8;

const distinct = <T>(values: readonly T[]): boolean => new Set(values).size === values.length;

/** What {@link sampleScene} accepts. */
export const sceneOptionsSchema = z.strictObject({
  /** What a scene shows besides objects: nothing, a word or a bar chart; `any` draws one of the three. */
  content: z.enum(['shapes', 'text', 'chart', 'any']).default('any'),
  /** Number of objects, drawn uniformly; fewer where text or a chart leaves too few places. */
  objects: z
    .strictObject({ minimum: z.number().int().min(1).max(16), maximum: z.number().int().min(1).max(16) })
    .refine(({ minimum, maximum }) => minimum <= maximum, 'minimum must not exceed maximum')
    .default({ minimum: 1, maximum: 5 }),
  shapes: z
    .array(z.enum(SHAPES))
    .min(2)
    .refine(distinct, 'shapes must differ')
    .default([...SHAPES]),
  colours: z
    .array(z.enum(COLOURS))
    .min(4)
    .refine(distinct, 'colours must differ')
    .default([...COLOURS]),
  /** Side of an object's bounding square in units of a canvas of 1024 × 1024. */
  sizes: z
    .strictObject({ small: z.number().int().min(16).multipleOf(2), large: z.number().int().min(16).multipleOf(2) })
    .refine(({ small, large }) => small < large, 'small must be smaller than large')
    .default({ small: 176, large: 288 }),
  /** `grid`: each object jittered within its own cell; `free`: anywhere without overlap. */
  placement: z.enum(['grid', 'free']).default('grid'),
  grid: z
    .strictObject({ columns: z.number().int().min(2).max(8), rows: z.number().int().min(2).max(8) })
    .default({ columns: 3, rows: 3 }),
  /** Words of scenes with text: one to four of A–Z and 0–9. */
  words: z
    .array(z.string().regex(/^[A-Z0-9]{1,4}$/))
    .min(2)
    .refine(distinct, 'words must differ')
    .default([...WORDS]),
  /** Probability that an object copies the shape or the colour of an earlier one, which makes counts above one common. */
  repetition: z.number().min(0).max(1).default(0.4),
});

/** Options of scenes with all defaults filled in. */
export type SceneOptions = Readonly<z.output<typeof sceneOptionsSchema>>;

/** Options of scenes; everything has a default. */
export type SceneOptionsInput = z.input<typeof sceneOptionsSchema>;

/**
 * Validates options of scenes and fills in defaults.
 *
 * @throws MicroworldError naming the option that is unknown, out of range or does not fit the others
 */
export function sceneOptions(options: SceneOptionsInput = {}): SceneOptions {
  const parsed = sceneOptionsSchema.safeParse(options);
  if (!parsed.success) throw MicroworldError.fromIssue('sceneOptions', parsed.error.issues[0]!);
  const { placement, grid, sizes, objects } = parsed.data;
  if (placement === 'grid') {
    const cell = Math.floor(CANVAS / Math.max(grid.columns, grid.rows));
    if (sizes.large > cell - 2 * CELL_MARGIN) {
      throw new MicroworldError({
        operation: 'sceneOptions',
        expected: `sizes.large of at most ${cell - 2 * CELL_MARGIN} for a grid of ${grid.columns}x${grid.rows}`,
        received: String(sizes.large),
        remedy: 'use smaller objects or fewer cells',
        option: 'sizes.large',
        value: sizes.large,
      });
    }
    if (objects.maximum > grid.columns * grid.rows) {
      throw new MicroworldError({
        operation: 'sceneOptions',
        expected: `objects.maximum of at most ${grid.columns * grid.rows} for a grid of ${grid.columns}x${grid.rows}`,
        received: String(objects.maximum),
        remedy: 'use fewer objects or more cells',
        option: 'objects.maximum',
        value: objects.maximum,
      });
    }
  }
  return parsed.data;
}
