import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@ocelli/core-tensor';
import { type JsonObject, readJson } from '../checkpoint/read-json.js';
import type { OnnxVisionConfigInput } from './config.js';
import { OnnxVisionEncoder } from './onnx-vision-encoder.js';

/** Where a folder may have its graph; that of the vision part comes first. */
const places = ['onnx/vision_model.onnx', 'vision_model.onnx', 'onnx/model.onnx', 'model.onnx'];

/** Options of {@link loadOnnxVision}: what its files do not tell, or tell otherwise. */
export type LoadOnnxVisionOptions = Partial<Omit<OnnxVisionConfigInput, 'type'>>;

const operation = 'loadOnnxVision';

/** Path of the graph in a folder, from the folder on; undefined where there is none. */
export async function findOnnxModel(folder: string): Promise<string | undefined> {
  for (const place of places) {
    const isThere = await access(join(folder, place)).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  return undefined;
}

/**
 * An encoder from an `.onnx` file, or from a folder with one as transformers.js and Optimum have them, which tell size of
 * images and patches in `config.json` or `preprocessor_config.json`.
 *
 * @param options `file` starts from the folder
 * @throws ConfigError if there is no graph, or the files do not tell what is needed
 * @throws OnnxError as {@link OnnxVisionEncoder}
 */
export async function loadOnnxVision(path: string, options: LoadOnnxVisionOptions = {}): Promise<OnnxVisionEncoder> {
  if (path.endsWith('.onnx')) return new OnnxVisionEncoder({ ...options, file: path });
  const file = options.file ?? (await findOnnxModel(path));
  if (file === undefined) {
    throw new ConfigError({
      operation,
      expected: `a folder with ${places.join(', ')}`,
      received: path,
      remedy: 'Name the file.',
    });
  }
  const { imageSize, patchSize } = await readSizes(path);
  const config = { ...(imageSize !== undefined && { imageSize }), ...options, file: join(path, file) };
  try {
    return new OnnxVisionEncoder(config);
  } catch (error) {
    // The patches of a stem do not tell the tokens of the last stage: they are asked where the number of tokens does not.
    if (!(error instanceof ConfigError) || patchSize === undefined) throw error;
    return new OnnxVisionEncoder({ patchSize, ...config });
  }
}

async function readSizes(folder: string): Promise<{ imageSize: number | undefined; patchSize: number | undefined }> {
  const config = await readJson(operation, folder, 'config.json');
  const vision = objectAt(config, 'vision_config') ?? config;
  const processor = await readJson(operation, folder, 'preprocessor_config.json');
  const sizes = [
    objectAt(processor, 'crop_size')?.height,
    objectAt(processor, 'size')?.height,
    objectAt(processor, 'size')?.shortest_edge,
    processor?.crop_size,
    processor?.size,
    vision?.image_size,
  ];
  const cropped = processor?.do_center_crop === false ? sizes.slice(1) : sizes;
  const patchSize = vision?.patch_size;
  return {
    imageSize: cropped.find((size) => typeof size === 'number'),
    patchSize: typeof patchSize === 'number' ? patchSize : undefined,
  };
}

function objectAt(json: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = json?.[key];
  return typeof value === 'object' && value !== null ? (value as JsonObject) : undefined;
}
