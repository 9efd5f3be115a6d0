import { z } from 'zod';
import { parseConfig } from '../config.js';
import { ConfigError } from '../errors.js';
import { type LoraConfig, type LoraConfigInput, parseLoraConfig } from './config.js';

/** Names of a file's fields, and what they are called here. */
const fields = {
  r: 'r',
  lora_alpha: 'loraAlpha',
  lora_dropout: 'loraDropout',
  target_modules: 'targetModules',
  exclude_modules: 'excludeModules',
  bias: 'bias',
  use_rslora: 'useRslora',
  modules_to_save: 'modulesToSave',
  init_lora_weights: 'initLoraWeights',
  layers_to_transform: 'layersToTransform',
  layers_pattern: 'layersPattern',
  rank_pattern: 'rankPattern',
  alpha_pattern: 'alphaPattern',
  task_type: 'taskType',
  base_model_name_or_path: 'baseModelNameOrPath',
} as const satisfies Record<string, keyof LoraConfig>;

/** Fields that make an adapter more than a low-rank product: without them it would compute something else. */
const extensions: Readonly<Record<string, string>> = {
  use_dora: 'DoRA',
  use_qalora: 'QALoRA',
  lora_bias: 'a bias of the product',
  trainable_token_indices: 'trained tokens',
  target_parameters: 'adapters of bare parameters',
  layer_replication: 'replicated layers',
  alora_invocation_tokens: 'activated LoRA',
  arrow_config: 'Arrow routing',
  use_bdlora: 'block-diagonal LoRA',
};

/** Ways to begin that leave the base model as it is, so that an adapter that was trained since then is a plain one. */
const plainBeginnings: readonly unknown[] = [true, false, 'gaussian', 'eva', 'orthogonal'];

/** Newer versions write fields nobody here knows, which decide nothing unless listed above. */
const fileSchema = z.looseObject({ peft_type: z.string() });

/**
 * The configuration in a PEFT folder's `adapter_config.json`.
 *
 * @param json the parsed file
 * @throws ConfigError if it is of another kind of adapter, uses an extension of LoRA (DoRA, for example), or a field is
 *   invalid
 */
export function loraConfigFromPeft(json: unknown): LoraConfig {
  const operation = 'loraConfigFromPeft';
  const file: Readonly<Record<string, unknown>> = parseConfig(operation, fileSchema, json);
  if (file.peft_type !== 'LORA') {
    throw new ConfigError({
      operation,
      expected: 'an adapter of peft_type "LORA"',
      received: JSON.stringify(file.peft_type),
      remedy: 'Only LoRA adapters can be loaded.',
    });
  }
  const used = Object.keys(extensions).filter((field) => isSet(file[field]));
  if (used.length > 0) {
    throw new ConfigError({
      operation,
      expected: 'a plain LoRA adapter',
      received: used.map((field) => `${field} (${extensions[field]})`).join(', '),
      remedy: 'Merge the adapter into its model with PEFT, and load the merged model.',
    });
  }
  const { init_lora_weights: beginning = true } = file;
  if (!plainBeginnings.includes(beginning)) {
    throw new ConfigError({
      operation,
      expected: 'an adapter that began beside an unchanged base model',
      received: `init_lora_weights ${JSON.stringify(beginning)}`,
      remedy: 'Convert it to a plain LoRA adapter with PEFT, which also saves what it changed in the base model.',
    });
  }
  const known = Object.entries(fields).flatMap(([field, name]) => {
    const value = file[field];
    return value === undefined || (value === null && !nullable.has(name)) ? [] : [[name, value]];
  });
  const isDrawn = typeof beginning === 'string' && beginning !== 'gaussian';
  return parseLoraConfig({
    ...(Object.fromEntries(known) as LoraConfigInput),
    // How an adapter began no longer matters once its weights are loaded.
    ...(isDrawn ? { initLoraWeights: true } : {}),
    ...(isEmpty(file.modules_to_save) ? { modulesToSave: null } : {}),
    ...(isEmpty(file.exclude_modules) ? { excludeModules: null } : {}),
  });
}

const nullable: ReadonlySet<string> = new Set<keyof LoraConfig>([
  'excludeModules',
  'modulesToSave',
  'layersToTransform',
  'layersPattern',
  'taskType',
  'baseModelNameOrPath',
]);

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isSet(value: unknown): boolean {
  const isPlainObject = typeof value === 'object' && value !== null;
  return isPlainObject ? Object.keys(value).length > 0 : Boolean(value);
}

/** A configuration as PEFT's `adapter_config.json` has it, for inference unless it is trained on. */
export function loraConfigToPeft(config: LoraConfig): Readonly<Record<string, unknown>> {
  return {
    peft_type: 'LORA',
    ...Object.fromEntries(Object.entries(fields).map(([field, name]) => [field, config[name] ?? null])),
    fan_in_fan_out: false,
    use_dora: false,
    inference_mode: true,
  };
}
