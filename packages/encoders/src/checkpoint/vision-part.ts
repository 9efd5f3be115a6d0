import { ConfigError, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

/** What a Hugging Face `config.json` of an encoder is read by. */
export interface VisionFile<Fields extends z.ZodRawShape> {
  readonly operation: string;
  /** What of the vision part is read; everything else is about text, training or files. */
  readonly fields: Fields;
  /** Values of `model_type` whose encoder it is. */
  readonly modelTypes: readonly string[];
  /** What the models are called. */
  readonly name: string;
}

/**
 * The vision part of a Hugging Face `config.json`: of a vision encoder it is the file, and a whole model nests it as
 * `vision_config`.
 *
 * @throws ConfigError if it describes another kind of model, or a field is invalid
 */
export function visionPartOf<Fields extends z.ZodRawShape>(json: unknown, file: VisionFile<Fields>) {
  const { operation, fields, modelTypes, name } = file;
  const part = z.object(fields);
  const types = { model_type: z.string().optional() };
  const { model_type: whole, vision_config } = parseConfig(
    operation,
    z.object({ ...types, vision_config: z.object(types).nullish() }),
    json,
  );
  // Hugging Face writes '' where a part has no type of its own.
  const type = vision_config?.model_type || whole;
  if (type && !modelTypes.includes(type)) {
    throw new ConfigError({
      operation,
      expected: `model_type ${modelTypes.join(' or ')}`,
      received: JSON.stringify(type),
      remedy: `Open the folder of a ${name} model.`,
    });
  }
  return vision_config
    ? parseConfig(operation, z.object({ vision_config: part }), json).vision_config
    : parseConfig(operation, part, json);
}
