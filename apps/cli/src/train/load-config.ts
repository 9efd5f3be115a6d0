import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ConfigSchema } from '@ocelli/core-tensor';
import type { ImageProcessor } from '@ocelli/data';
import { resolveEncoderFiles } from '@ocelli/encoders';
import { readYaml } from '../recipe/read-yaml.js';
import { type RunDescription, type TrainingConfig, trainingConfigSchema } from './config.js';
import { isNamedProcessor } from './image-processor.js';
import { type Refuse, refuseIn } from './refuse.js';

/**
 * Reads the configuration of a training run: every default filled in, every path absolute.
 *
 * @throws ConfigError that names the file and the key: unknown keys, invalid values, files that are not there, stages
 *   whose data has no such name.
 */
export async function loadTrainingConfig(file: string): Promise<TrainingConfig> {
  const config = await readRunFile(file, trainingConfigSchema);
  const refuse = refuseIn(file);
  const { data, stages, tokenizer, vision, language } = config;
  const names = Object.keys(data);
  for (const [index, stage] of stages.entries()) {
    for (const { name } of stage.data) {
      if (names.includes(name)) continue;
      throw refuse(`stages.${index}.data`, {
        expected: `one of ${names.join(', ') || 'the data, which is empty'}`,
        received: JSON.stringify(name),
        remedy: 'Name a part of the data, or add it to data.',
      });
    }
  }
  for (const name of names) await requireData(refuse, name, data[name]!);
  const absolute = async (key: string, path: string | undefined, kind: PathKind) => {
    if (path === undefined) return undefined;
    const found = resolve(dirname(file), path);
    await requirePath(refuse, key, found, kind);
    return found;
  };
  const visionConfig = resolveEncoderFiles(vision.config, dirname(file));
  const { type, file: graph } = visionConfig;
  if (type === 'onnx' && typeof graph === 'string') await requirePath(refuse, 'vision.config.file', graph, 'file');
  const processor = async (key: string, given: string | ImageProcessor | undefined) =>
    typeof given === 'string' && !isNamedProcessor(given) ? absolute(key, given, 'file') : given;
  return {
    ...config,
    tokenizer: { ...tokenizer, folder: await absolute('tokenizer.folder', tokenizer.folder, 'folder') },
    vision: {
      ...vision,
      config: visionConfig,
      weights: await absolute('vision.weights', vision.weights, 'file or folder'),
      imageProcessor: await processor('vision.imageProcessor', vision.imageProcessor),
    },
    stages: await Promise.all(
      stages.map(async (stage, index) => ({
        ...stage,
        imageProcessor: await processor(`stages.${index}.imageProcessor`, stage.imageProcessor),
      })),
    ),
    language: { ...language, weights: await absolute('language.weights', language.weights, 'file or folder') },
  };
}

/**
 * Reads a file that describes data, with the paths of the data made absolute.
 *
 * @throws ConfigError that names the file, and every missing, unknown or invalid key in it.
 */
export async function readRunFile<Description extends Pick<RunDescription, 'data'>>(
  file: string,
  schema: ConfigSchema<Description>,
): Promise<Description> {
  const description = await readYaml(file, schema);
  const folder = dirname(file);
  const entries = Object.entries(description.data).map(([name, { file: path, imageRoot }]) => {
    const data = resolve(folder, path);
    return [name, { file: data, imageRoot: imageRoot === undefined ? dirname(data) : resolve(folder, imageRoot) }];
  });
  return { ...description, data: Object.fromEntries(entries) };
}

/** @throws ConfigError that names the key of the file or the folder of images that is not there. */
export async function requireData(
  refuse: Refuse,
  name: string,
  { file, imageRoot }: RunDescription['data'][string],
): Promise<void> {
  await requirePath(refuse, `data.${name}.file`, file, 'file');
  if (imageRoot !== undefined) await requirePath(refuse, `data.${name}.imageRoot`, imageRoot, 'folder');
}

type PathKind = 'file' | 'folder' | 'file or folder';

async function requirePath(refuse: Refuse, key: string, path: string, kind: PathKind): Promise<void> {
  const expected = `a ${kind} that can be read`;
  const remedy = 'Correct the path; a relative one starts from the folder of the configuration.';
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw refuse(key, { expected, received: `${path} (${cause.code})`, remedy, cause });
  });
  const fits = (kind !== 'folder' && found.isFile()) || (kind !== 'file' && found.isDirectory());
  if (!fits) throw refuse(key, { expected, received: `${path}, which is none`, remedy });
}
