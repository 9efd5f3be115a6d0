import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError, type FetchOptions, fetchCheckpoint, loadWeights } from '@ocelli/core-tensor';
import { openWeights } from './checkpoint/open-weights.js';
import { type JsonObject, readJson } from './checkpoint/read-json.js';
import { ClipVisionTower } from './clip/clip-vision-tower.js';
import type { ClipVisionConfigInput } from './clip/config.js';
import { findClipVisionLayouts } from './clip/find-layout.js';
import { type HighResolutionClipConfigInput, HighResolutionClipTower } from './clip/high-resolution-tower.js';
import { clipModelTypes, clipVisionConfigFromHuggingFace } from './clip/hugging-face-config.js';
import { loadClipVision, loadHighResolutionClip } from './clip/load-clip-vision.js';
import type { ConvNextConfigInput } from './convnext/config.js';
import { ConvNextTower } from './convnext/convnext-tower.js';
import { findConvNextLayouts } from './convnext/find-layout.js';
import { convNextConfigFromHuggingFace, convNextModelTypes } from './convnext/hugging-face-config.js';
import { loadConvNext } from './convnext/load-convnext.js';
import type { Eva02VisionConfigInput } from './eva02/config.js';
import { Eva02VisionEncoder } from './eva02/eva02-vision-encoder.js';
import { findEva02VisionLayouts, loadEva02Vision } from './eva02/load-eva02.js';
import type { OnnxVisionConfigInput } from './onnx/config.js';
import { findOnnxModel, loadOnnxVision } from './onnx/load-onnx-vision.js';
import { OnnxVisionEncoder } from './onnx/onnx-vision-encoder.js';
import type { Pix2StructVisionConfigInput } from './pix2struct/config.js';
import { type EaglePix2StructConfigInput, EaglePix2StructTower } from './pix2struct/eagle-pix2struct-tower.js';
import { pix2structModelTypes, pix2structVisionConfigFromHuggingFace } from './pix2struct/hugging-face-config.js';
import {
  findPix2StructVisionLayouts,
  loadEaglePix2Struct,
  loadPix2StructVision,
} from './pix2struct/load-pix2struct.js';
import { Pix2StructVisionEncoder } from './pix2struct/pix2struct-vision-encoder.js';
import type { SamVisionConfigInput } from './sam/config.js';
import { samModelTypes, samVisionConfigFromHuggingFace } from './sam/hugging-face-config.js';
import { findSamVisionLayouts, loadSamVision } from './sam/load-sam.js';
import { SamVisionEncoder } from './sam/sam-vision-encoder.js';
import type { SiglipVisionConfigInput } from './siglip/config.js';
import { findSiglipVisionLayouts } from './siglip/find-layout.js';
import { siglipModelTypes, siglipVisionConfigFromHuggingFace } from './siglip/hugging-face-config.js';
import { loadSiglipVision } from './siglip/load-siglip-vision.js';
import { SiglipVisionTower } from './siglip/siglip-vision-tower.js';
import type { VisionEncoder } from './vision-encoder.js';

/** What tells the encoder of a folder where no `model_type` does. */
export interface CheckpointMarks {
  /** Its `config.json`; empty where there is none. */
  readonly config: JsonObject;
  /** Names of its tensors. */
  readonly keys: readonly string[];
}

/** What the registry knows of an encoder. */
export interface EncoderEntry {
  /** With fresh weights. */
  readonly create: (config: never) => VisionEncoder;
  /** With the weights of a folder in any layout that the encoder reads. */
  readonly load: (folder: string) => Promise<VisionEncoder>;
  /** Values of `model_type` in a Hugging Face `config.json`, or in its `vision_config`. */
  readonly modelTypes: readonly string[];
  /** The structure that such a `config.json` describes. */
  readonly configFromHuggingFace?: (json: unknown) => { readonly type: string };
  /** Whether a folder without a known `model_type` holds this encoder. */
  readonly isIn?: (marks: CheckpointMarks) => boolean;
}

/** Every encoder by its id. Of several that recognise a folder, the first one loads it. */
export const encoders = {
  clip: {
    create: (config: ClipVisionConfigInput) => new ClipVisionTower(config),
    load: (folder: string) => loadClipVision(folder),
    modelTypes: clipModelTypes,
    configFromHuggingFace: clipVisionConfigFromHuggingFace,
    isIn: ({ keys }) => findClipVisionLayouts(keys).length > 0,
  },
  'clip-high-resolution': {
    create: (config: HighResolutionClipConfigInput) => new HighResolutionClipTower(config),
    load: (folder: string) => loadHighResolutionClip(folder),
    modelTypes: [],
  },
  convnext: {
    create: (config: ConvNextConfigInput) => new ConvNextTower(config),
    load: (folder: string) => loadConvNext(folder),
    modelTypes: convNextModelTypes,
    configFromHuggingFace: convNextConfigFromHuggingFace,
    isIn: ({ keys }) => findConvNextLayouts(keys).length > 0,
  },
  eva02: {
    create: (config: Eva02VisionConfigInput) => new Eva02VisionEncoder(config),
    load: (folder: string) => loadEva02Vision(folder),
    modelTypes: [],
    isIn: ({ keys }) => findEva02VisionLayouts(keys).length > 0,
  },
  onnx: {
    create: (config: OnnxVisionConfigInput) => new OnnxVisionEncoder(config),
    load: (folder: string) => loadOnnxVision(folder),
    modelTypes: [],
  },
  pix2struct: {
    create: (config: Pix2StructVisionConfigInput) => new Pix2StructVisionEncoder(config),
    load: (folder: string) => loadPix2StructVision(folder),
    modelTypes: pix2structModelTypes,
    configFromHuggingFace: pix2structVisionConfigFromHuggingFace,
    isIn: ({ keys }) => findPix2StructVisionLayouts(keys).length > 0,
  },
  'eagle-pix2struct': {
    create: (config: EaglePix2StructConfigInput) => new EaglePix2StructTower(config),
    load: (folder: string) => loadEaglePix2Struct(folder),
    modelTypes: [],
  },
  sam: {
    create: (config: SamVisionConfigInput) => new SamVisionEncoder(config),
    load: (folder: string) => loadSamVision(folder),
    modelTypes: samModelTypes,
    configFromHuggingFace: (json: unknown) => samVisionConfigFromHuggingFace(json),
    isIn: ({ keys }) => findSamVisionLayouts(keys).length > 0,
  },
  siglip: {
    create: (config: SiglipVisionConfigInput) => new SiglipVisionTower(config),
    load: (folder: string) => loadSiglipVision(folder),
    modelTypes: siglipModelTypes,
    configFromHuggingFace: siglipVisionConfigFromHuggingFace,
    isIn: ({ keys }) => findSiglipVisionLayouts(keys).length > 0,
  },
} as const satisfies Record<string, EncoderEntry>;

/** An id under which {@link encoders} has an entry. */
export type EncoderType = keyof typeof encoders;

/** The class of an encoder. */
export type EncoderOf<Type extends EncoderType> = ReturnType<(typeof encoders)[Type]['create']>;

/** Structure of any encoder; `type` tells which. */
export type EncoderConfig = { [Type in EncoderType]: EncoderOf<Type>['config'] }[EncoderType];

/** An {@link EncoderConfig} whose defaults may be left out; `type` may not. */
export type EncoderConfigInput = {
  [Type in EncoderType]: Parameters<(typeof encoders)[Type]['create']>[0] & { readonly type: Type };
}[EncoderType];

/**
 * The encoder that a configuration describes, with fresh weights.
 *
 * @throws ConfigError if `type` is unknown (the message lists the known ones) or a field is missing, unknown or invalid
 */
export function createEncoder<Config extends EncoderConfigInput>(config: Config): EncoderOf<Config['type']> {
  const { type } = config;
  requireType('createEncoder', type);
  const create = encoders[type].create as (config: EncoderConfigInput) => EncoderOf<Config['type']>;
  return create(config);
}

/** A configuration, also of a model around encoders, whose files are named from a folder on, with their whole paths. */
export function resolveEncoderFiles<Config>(config: Config, folder: string): Config {
  if (typeof config !== 'object' || config === null) return config;
  if (Array.isArray(config)) return config.map((part) => resolveEncoderFiles(part, folder)) as Config;
  const resolved = Object.fromEntries(
    Object.entries(config).map(([field, part]) => [field, resolveEncoderFiles(part, folder)]),
  );
  const { type, file } = resolved;
  return (
    type === 'onnx' && typeof file === 'string' ? { ...resolved, file: resolve(folder, file) } : resolved
  ) as Config;
}

/**
 * The encoder in a folder, with its weights: one that Hugging Face's libraries wrote (recognised by the `model_type` in
 * `config.json`), one in a layout that an encoder recognises by other marks, such as OpenAI's, or one of this package
 * (`config.json` holds its configuration with `type`). Where there are no safetensors, an ONNX graph is one too, as
 * transformers.js and Optimum have it in a folder. Also takes a safetensors or ONNX file, and the id of a model on the
 * Hugging Face hub, which is downloaded first.
 *
 * @param options.hub how a model is downloaded
 * @throws ConfigError if no encoder recognises the folder (the message lists what is supported)
 * @throws CheckpointError if a file is missing or malformed, or tensors are missing, unexpected or misshapen
 * @throws OnnxError if a graph is malformed, or needs what is not supported
 */
export async function loadEncoder(
  idOrFolder: string,
  { hub }: { readonly hub?: FetchOptions } = {},
): Promise<VisionEncoder> {
  const operation = 'loadEncoder';
  const folder = await fetchCheckpoint(idOrFolder, hub);
  const config = (await readJson(operation, folder, 'config.json')) ?? {};
  if (typeof config.type !== 'string' && (await hasGraphAlone(folder))) return loadOnnxVision(folder);
  const known = entries().find(({ modelTypes }) => modelTypesIn(config).some((type) => modelTypes.includes(type)));
  if (known) return known.load(folder);
  if (typeof config.type === 'string') return loadOwn(operation, folder, config);
  const keys = await readKeys(folder);
  const recognised = entries().find(({ isIn }) => isIn?.({ config, keys }));
  if (recognised) return recognised.load(folder);
  throw new ConfigError({
    operation,
    expected: `the folder of an encoder, which is one of ${supported()}`,
    received: describeFolder(folder, config, keys),
    remedy: 'Open the folder of a supported encoder.',
  });
}

async function loadOwn(operation: string, folder: string, config: JsonObject): Promise<VisionEncoder> {
  requireType(operation, config.type);
  const encoder: VisionEncoder = createEncoder(resolveEncoderFiles(config, folder) as unknown as EncoderConfigInput);
  if (!encoder.copyFiles) await loadWeights(encoder, folder, { operation });
  return encoder;
}

/** Whether a path is that of an ONNX file, or of a folder with one and without safetensors. */
async function hasGraphAlone(path: string): Promise<boolean> {
  if (path.endsWith('.onnx')) return true;
  if ((await findOnnxModel(path)) === undefined) return false;
  return (await readdir(path)).every((name) => !/\.safetensors(\.index\.json)?$/.test(name));
}

async function readKeys(folder: string): Promise<readonly string[]> {
  const reader = await openWeights(folder);
  try {
    return reader.keys();
  } finally {
    await reader.close();
  }
}

function entries(): EncoderEntry[] {
  return Object.values(encoders);
}

/** The `model_type` of a file and of the vision part in it. */
function modelTypesIn({ model_type, vision_config }: JsonObject): string[] {
  const nested = (vision_config as JsonObject | null | undefined)?.model_type;
  return [model_type, nested].filter((type) => typeof type === 'string');
}

function requireType(operation: string, type: unknown): asserts type is EncoderType {
  if (typeof type === 'string' && Object.hasOwn(encoders, type)) return;
  throw new ConfigError({
    operation,
    expected: `a type among ${Object.keys(encoders).join(', ')}`,
    received: JSON.stringify(type) ?? 'none',
  });
}

function supported(): string {
  return Object.entries<EncoderEntry>(encoders)
    .filter(([, { modelTypes, isIn }]) => modelTypes.length > 0 || isIn)
    .map(([type, { modelTypes }]) => (modelTypes.length === 0 ? type : `${type} (model_type ${modelTypes.join(', ')})`))
    .join('; ');
}

function describeFolder(folder: string, config: JsonObject, keys: readonly string[]): string {
  const [type] = modelTypesIn(config);
  const architecture = type === undefined ? 'no model_type' : `model_type ${JSON.stringify(type)}`;
  return `${folder} with ${architecture} and tensors such as ${keys.slice(0, 3).join(', ') || 'none'}`;
}
