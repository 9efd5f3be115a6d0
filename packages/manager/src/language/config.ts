import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const size = z.int().positive();

/**
 * What scales the levels in front of a decoder layer:
 *
 * - `static`: learned weights per feature
 * - `adaptive`: weights predicted from each visual token's state in the decoder
 * - `adaptive-last`, `adaptive-average`, `adaptive-cross`: also from the question: its last token, the mean of its
 *   tokens, or what the visual token attends to of it
 */
export const residualManagerTypes = [
  'static',
  'adaptive',
  'adaptive-last',
  'adaptive-average',
  'adaptive-cross',
] as const;

/** One of {@link residualManagerTypes}. */
export type ResidualManagerType = (typeof residualManagerTypes)[number];

/** What a manager in a language model is built from. */
export const residualManagerFields = {
  type: z.enum(residualManagerTypes).default('static'),
  /** Width of the language model. */
  hiddenSize: size.default(896),
  /**
   * What training scales at random: the weights by U(0.99, 1.01), as the released code, or the output by
   * U(0.98, 1.02), as the paper says, or nothing.
   */
  jitter: z.enum(['weights', 'output', 'none']).default('weights'),
  /** Deviation of the first values of linear layers. */
  initializerRange: z.number().nonnegative().default(0.02),
};

/** Like Python's range: start, start + interval, … below end. */
const range = (defaults: { readonly start: number; readonly interval: number; readonly end: number }) =>
  z
    .strictObject({
      start: z.int().nonnegative().default(defaults.start),
      interval: size.default(defaults.interval),
      end: size.default(defaults.end),
    })
    .prefault({});

const schema = z
  .strictObject({
    ...residualManagerFields,
    /** Layers of the language model. */
    languageLayers: size.default(24),
    /**
     * Hidden states of the vision tower that are managed; 0 is the patch embedding. The published 13…25 are the outputs
     * of layers 13 to 25: the paper says 14 to 26, which is start 14 and end 27.
     */
    select: range({ start: 13, interval: 1, end: 26 }),
    /** Layers of the language model that a manager stands in front of, from 0. */
    inject: range({ start: 0, interval: 4, end: 24 }),
    /** Visual tokens that are managed: all, those of the base image, or those of the grid behind them. */
    gridType: z.enum(['all', 'main', 'grid']).default('all'),
    /**
     * Whether the manager in front of layer 0 leaves out the last level, as the released code does. It is meant to keep
     * the projected feature from being added to itself, but that one is not among the published levels.
     */
    firstLeavesOutLast: z.boolean().default(true),
  })
  .refine(({ select }) => select.start < select.end, { path: ['select'], message: 'must not be empty' })
  .refine(({ inject, languageLayers }) => inject.start < Math.min(inject.end, languageLayers), {
    path: ['inject'],
    message: 'must not be empty',
  });

/** Structure of the managers in a language model; plain data. */
export type ResidualManagersConfig = Readonly<z.output<typeof schema>>;
/** A {@link ResidualManagersConfig} whose fields may be left out: they default to those of the published models. */
export type ResidualManagersConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every unknown or invalid field */
export function parseResidualManagersConfig(config: ResidualManagersConfigInput): ResidualManagersConfig {
  return parseConfig('parseResidualManagersConfig', schema, config);
}

/** Indices of the managed hidden states of the vision tower. */
export function managedStates({ select }: ResidualManagersConfig): number[] {
  return rangeOf(select);
}

/** The decoder layers that a manager stands in front of, from 0. */
export function injectionLayers({ inject, languageLayers }: ResidualManagersConfig): number[] {
  return rangeOf({ ...inject, end: Math.min(inject.end, languageLayers) });
}

function rangeOf({ start, interval, end }: ResidualManagersConfig['select']): number[] {
  return Array.from({ length: Math.ceil((end - start) / interval) }, (_, index) => start + index * interval);
}
