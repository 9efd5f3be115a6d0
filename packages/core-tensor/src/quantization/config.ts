import { z } from 'zod';
import { parseConfig } from '../config.js';

const blockSize = z
  .int()
  .min(16)
  .max(2 ** 30)
  .refine((size) => Number.isInteger(Math.log2(size)), 'expected a power of two');

const schema = z.discriminatedUnion('format', [
  z.strictObject({
    /** Blocks along each output's row, spaced evenly (ONNX Runtime's MatMulNBits). */
    format: z.literal('nbits'),
    bits: z.union([z.literal(4), z.literal(8)]).default(4),
    /** Elements that share a scale. */
    blockSize: blockSize.default(32),
    /** Without zero points: the element of largest magnitude is exact, whatever its sign. */
    symmetric: z.boolean().default(true),
  }),
  z.strictObject({
    /** Codes of 4 bits, spaced as normally distributed weights are (Dettmers et al. 2023, "QLoRA"). */
    format: z.literal('nf4'),
    blockSize: blockSize.default(64),
    /** Scales are quantized too, to 8 bits in blocks of 256 (`compress_statistics`). */
    doubleQuantized: z.boolean().default(false),
  }),
  z.strictObject({
    /** Codes of 4 bits, which are floats with 2 exponent bits and 1 mantissa bit. */
    format: z.literal('fp4'),
    blockSize: blockSize.default(64),
    doubleQuantized: z.boolean().default(false),
  }),
  z.strictObject({
    /** 8 bits with one scale for each output (Dettmers et al. 2022, "LLM.int8()"). */
    format: z.literal('int8'),
  }),
]);

/** How a weight is held in few bits. Plain data. */
export type QuantizationConfig = Readonly<z.output<typeof schema>>;

/** {@link QuantizationConfig} of MatMulNBits. */
export type NBitsConfig = Extract<QuantizationConfig, { format: 'nbits' }>;

/** {@link QuantizationConfig} of bitsandbytes' 4-bit formats. */
export type Bnb4Config = Extract<QuantizationConfig, { format: 'nf4' | 'fp4' }>;

/** {@link QuantizationConfig} whose fields may be left out; without a format it is `nbits`. */
export type QuantizationConfigInput =
  | Readonly<z.input<typeof schema>>
  | (Omit<Readonly<Extract<z.input<typeof schema>, { format: 'nbits' }>>, 'format'> & { readonly format?: undefined });

/**
 * Checks a configuration and fills in its defaults.
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseQuantizationConfig(config: QuantizationConfigInput): QuantizationConfig {
  const { format = 'nbits', ...others } = config;
  return parseConfig('parseQuantizationConfig', schema, { format, ...others });
}
