import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { gridSide, widths } from '../fields.js';

/** What a configuration of channel concatenation may leave out. Source: Eagle's tower. */
export const channelConcatDefaults = { grid: 32 } as const;

const schema = z.strictObject({
  type: z.literal('channel-concat').default('channel-concat'),
  /** Widths of the maps. */
  widths,
  /** Side of the grid that maps are resized to; null for the grid of the first map. */
  grid: gridSide.default(channelConcatDefaults.grid),
});

/** Structure of a {@link ChannelConcat}; plain data. */
export type ChannelConcatConfig = Readonly<z.output<typeof schema>>;
/** A {@link ChannelConcatConfig} whose defaults may be left out. */
export type ChannelConcatConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every missing, unknown or invalid field */
export function parseChannelConcatConfig(config: ChannelConcatConfigInput): ChannelConcatConfig {
  return parseConfig('parseChannelConcatConfig', schema, config);
}
