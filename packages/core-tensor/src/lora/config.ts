import { z } from 'zod';
import { parseConfig } from '../config.js';

const names = z.array(z.string().min(1)).min(1);
const layerIndex = z.int().nonnegative();

const schema = z.strictObject({
  /** Rank of the products. */
  r: z.int().positive().default(8),
  /** The product counts `loraAlpha / r` times, see `useRslora`. */
  loraAlpha: z.number().default(8),
  /** Share of an adapter's input that is dropped in training. */
  loraDropout: z.number().min(0).lt(1).default(0),
  /**
   * Layers that get an adapter: names, which match a whole path or its end after a dot; a regular expression that
   * matches the whole path; or `all-linear` for every linear layer but the output layer. Default: `q_proj` and
   * `v_proj`, or `query` and `value`.
   */
  targetModules: z.union([z.string().min(1), names]).optional(),
  /** Layers that get none although they match: names or a regular expression, as above. */
  excludeModules: z
    .union([z.string().min(1), names])
    .nullable()
    .default(null),
  /** Biases that train: none, all of the model, or those of the layers with an adapter. */
  bias: z.enum(['none', 'all', 'lora_only']).default('none'),
  /** Divide by √r instead of r (Kalajdzievski 2023). */
  useRslora: z.boolean().default(false),
  /** Modules that train as a whole, by names as in `targetModules`. */
  modulesToSave: names.nullable().default(null),
  /**
   * First values. `true`: the product is zero, its right factor uniform ±1/√inputs; `gaussian`: that factor N(0, 1/r²);
   * `false`: both factors at random, for tests.
   */
  initLoraWeights: z.union([z.boolean(), z.literal('gaussian')]).default(true),
  /** Only layers of these numbers, where `targetModules` are names. */
  layersToTransform: z
    .union([layerIndex, z.array(layerIndex)])
    .nullable()
    .default(null),
  /** What stands before the number in the paths of layers. Default: anything. */
  layersPattern: z
    .union([z.string(), z.array(z.string())])
    .nullable()
    .default(null),
  /** Other ranks by regular expressions that match a path or its end after a dot. */
  rankPattern: z.record(z.string(), z.int().positive()).default({}),
  /** Other `loraAlpha`s, likewise. */
  alphaPattern: z.record(z.string(), z.number()).default({}),
  /** For whoever loads the adapter, such as `CAUSAL_LM`. */
  taskType: z.string().nullable().default(null),
  /** Name or path of the model that the adapter was made for. */
  baseModelNameOrPath: z.string().nullable().default(null),
});

/**
 * Low-rank adapters (Hu et al. 2021, "LoRA"): where they are and how they start. Plain data; fields and defaults are
 * those of PEFT's `LoraConfig`.
 */
export type LoraConfig = Readonly<z.output<typeof schema>>;

/** A {@link LoraConfig} whose fields may be left out. */
export type LoraConfigInput = Readonly<z.input<typeof schema>>;

/**
 * Checks a configuration and fills in its defaults.
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseLoraConfig(config: LoraConfigInput): LoraConfig {
  return parseConfig('parseLoraConfig', schema, config);
}
