import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { size } from '../../fields.js';
import { gridSide, widths } from '../fields.js';

/** What a configuration of sequence append may leave out. Source: Eagle §2.4, with its projector. */
export const sequenceAppendDefaults = { depth: 2, grid: 32 } as const;

const schema = z.strictObject({
  type: z.literal('sequence-append').default('sequence-append'),
  /** Widths of the maps. */
  widths,
  /** Width of the tokens: the language model's, as each map has its own projector. */
  outputWidth: size,
  /** Linear layers of each projector, with GELU between them. */
  depth: size.default(sequenceAppendDefaults.depth),
  /** Side of the grid that every map is resized to; null leaves them as they are. */
  grid: gridSide.default(sequenceAppendDefaults.grid),
});

/** Structure of a {@link SequenceAppend}; plain data. */
export type SequenceAppendConfig = Readonly<z.output<typeof schema>>;
/** A {@link SequenceAppendConfig} whose defaults may be left out. */
export type SequenceAppendConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every missing, unknown or invalid field */
export function parseSequenceAppendConfig(config: SequenceAppendConfigInput): SequenceAppendConfig {
  return parseConfig('parseSequenceAppendConfig', schema, config);
}
