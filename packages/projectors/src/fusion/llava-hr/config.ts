import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { twoWidths } from '../fields.js';

/** What a configuration of LLaVA-HR's fusion may leave out: nothing. */
export const llavaHrDefaults = {} as const;

const schema = z.strictObject({
  type: z.literal('llava-hr').default('llava-hr'),
  /** Widths of the fast path, whose tokens remain, and of the slow path with the high resolution. */
  widths: twoWidths,
});

/** Structure of a {@link LlavaHrFusion}; plain data. */
export type LlavaHrConfig = Readonly<z.output<typeof schema>>;
/** A {@link LlavaHrConfig} whose defaults may be left out. */
export type LlavaHrConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every missing, unknown or invalid field */
export function parseLlavaHrConfig(config: LlavaHrConfigInput): LlavaHrConfig {
  return parseConfig('parseLlavaHrConfig', schema, config);
}
