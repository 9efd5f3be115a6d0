import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const size = z.int().positive();

const schema = z.strictObject({
  type: z.literal('onnx').default('onnx'),
  /** Path of the model; files with its larger tensors lie beside it. */
  file: z.string().min(1),
  /** Name of the argument for the pixels. Default: the only one that the features need. */
  input: z.string().min(1).optional(),
  /**
   * Name of the features: a result of the model, or a value on the way, such as the output of a block. Default:
   * `last_hidden_state`, or the only result.
   */
  output: z.string().min(1).optional(),
  /** Side in pixels of the square images. Default: what the model declares. */
  imageSize: size.optional(),
  /** Side of a patch in pixels. Default: what the number of tokens tells, if they are a square, or one more than that. */
  patchSize: size.optional(),
  /** Tokens in front of the patches, which are dropped: the class token, registers. Default: what is beyond the patches. */
  prefixTokens: z.int().nonnegative().optional(),
  /** Order of the axes where the features are a map: batch, width, rows, columns, or with the width at the end. */
  layout: z.enum(['channels-first', 'channels-last']).default('channels-first'),
});

/** What tells how an ONNX graph is used as an encoder; plain data. */
export type OnnxVisionConfigInput = Readonly<z.input<typeof schema>>;

/** An {@link OnnxVisionConfigInput} with all that the graph tells. */
export interface OnnxVisionConfig {
  readonly type: 'onnx';
  readonly file: string;
  readonly input: string;
  readonly output: string;
  readonly imageSize: number;
  readonly patchSize?: number | undefined;
  readonly prefixTokens: number;
  readonly layout: 'channels-first' | 'channels-last';
}

/**
 * Checks a configuration, without looking at the file.
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseOnnxVisionConfig(config: OnnxVisionConfigInput): Readonly<z.output<typeof schema>> {
  return parseConfig('parseOnnxVisionConfig', schema, config);
}
