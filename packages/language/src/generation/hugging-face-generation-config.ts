import { join } from 'node:path';
import { CheckpointError, parseConfig, readJsonFile } from '@ocelli/core-tensor';
import { z } from 'zod';
import { type GenerationConfigInput, parseGenerationConfig } from './generation-config.js';

/** Fields of the file; here they have the same meaning and name, in camel case. */
const fields = [
  ...['max_length', 'max_new_tokens', 'min_length', 'min_new_tokens', 'stop_strings', 'use_cache', 'do_sample'],
  ...['num_beams', 'early_stopping', 'length_penalty', 'num_return_sequences'],
  ...['temperature', 'top_k', 'top_p', 'min_p', 'typical_p', 'epsilon_cutoff', 'eta_cutoff'],
  ...['repetition_penalty', 'encoder_repetition_penalty', 'no_repeat_ngram_size', 'bad_words_ids', 'sequence_bias'],
  ...['renormalize_logits', 'forced_bos_token_id', 'forced_eos_token_id', 'remove_invalid_values'],
  ...['exponential_decay_length_penalty', 'suppress_tokens', 'begin_suppress_tokens'],
  ...['pad_token_id', 'bos_token_id', 'eos_token_id'],
];

/** Other ways of decoding: what asks for one is refused, what says that there is none is not. */
const refused = z.object({
  num_beam_groups: z.literal(1).nullish(),
  diversity_penalty: z.literal(0).nullish(),
  penalty_alpha: z.literal(0).nullish(),
  guidance_scale: z.literal(1).nullish(),
  encoder_no_repeat_ngram_size: z.literal(0).nullish(),
  max_time: z.null().optional(),
  force_words_ids: z.null().optional(),
  constraints: z.null().optional(),
  prompt_lookup_num_tokens: z.null().optional(),
  watermarking_config: z.null().optional(),
  dola_layers: z.null().optional(),
  token_healing: z.literal(false).nullish(),
});

/**
 * The settings of a Hugging Face `generation_config.json`: those that it has. Other fields of the file (its library's
 * version, say) are none of generation's.
 *
 * @param json the parsed file
 * @throws ConfigError if a field is invalid, or asks for a way of decoding that there is not
 */
export function generationConfigFromHuggingFace(json: unknown): GenerationConfigInput {
  const operation = 'generationConfigFromHuggingFace';
  parseConfig(operation, refused, json);
  const file = parseConfig(operation, z.record(z.string(), z.unknown()), json);
  const present = fields.filter((name) => file[name] !== undefined && file[name] !== null);
  const config = Object.fromEntries(present.map((name) => [camelCase(name), file[name]])) as GenerationConfigInput;
  parseGenerationConfig(config);
  return config;
}

/**
 * The settings of a model's folder in Hugging Face's layout: those of `generation_config.json`, or without that file the
 * special tokens of `config.json`.
 *
 * @throws CheckpointError if neither file is there, or it is no JSON
 * @throws ConfigError as {@link generationConfigFromHuggingFace}
 */
export async function loadGenerationConfig(folder: string): Promise<GenerationConfigInput> {
  const operation = 'loadGenerationConfig';
  try {
    return generationConfigFromHuggingFace(await readJsonFile(join(folder, 'generation_config.json'), operation));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const model = await readJsonFile(join(folder, 'config.json'), operation);
  const { bos_token_id, eos_token_id, pad_token_id } = model as Record<string, unknown>;
  return generationConfigFromHuggingFace({ bos_token_id, eos_token_id, pad_token_id });
}

function isMissing(error: unknown): boolean {
  return error instanceof CheckpointError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
