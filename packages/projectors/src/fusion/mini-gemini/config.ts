import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { size } from '../../fields.js';
import { twoWidths } from '../fields.js';

/** What a configuration of Mini-Gemini's fusion may leave out. */
export const miniGeminiDefaults = { miningWidth: null } as const;

const schema = z.strictObject({
  type: z.literal('mini-gemini').default('mini-gemini'),
  /** Widths of the map whose tokens remain, and of the one with the high resolution. */
  widths: twoWidths,
  /**
   * Width of queries, keys, values and tokens; null for that of the first map, which is Mini-Gemini's. Eagle's row for
   * this fusion has as many parameters as the high map's width makes (3072).
   */
  miningWidth: size.nullable().default(miniGeminiDefaults.miningWidth),
});

/** Structure of a {@link MiniGeminiFusion}; plain data. */
export type MiniGeminiConfig = Readonly<z.output<typeof schema>>;
/** A {@link MiniGeminiConfig} whose defaults may be left out. */
export type MiniGeminiConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every missing, unknown or invalid field */
export function parseMiniGeminiConfig(config: MiniGeminiConfigInput): MiniGeminiConfig {
  return parseConfig('parseMiniGeminiConfig', schema, config);
}
