import { type Module, placeholder, sum, type Tensor } from '@ocelli/core-tensor';
import {
  ClipVisionTower,
  ConvNextTower,
  clipVisionConfigs,
  convNextConfigs,
  Eva02VisionEncoder,
  eva02VisionConfigs,
  Pix2StructVisionEncoder,
  pix2structVisionConfigs,
  Roberta,
  robertaConfigs,
  SamVisionEncoder,
  SiglipVisionTower,
  samVisionConfigs,
  siglipVisionConfigs,
  type VisionEncoder,
} from '@ocelli/encoders';
import { Llama, type LlamaConfig, llamaConfigs } from '@ocelli/language';

/** Size of what a model is given. */
export interface InputSize {
  readonly batch: number;
  /** In pixels; undefined for the size that the model is made for. */
  readonly image?: readonly [height: number, width: number] | undefined;
  /** Tokens of a text; undefined for a usual length. */
  readonly context?: number | undefined;
}

/** What a recorded program is made of. */
export interface Recorded {
  readonly outputs: readonly Tensor[];
  /** Outputs that are kept elsewhere, such as a cache. */
  readonly held: readonly Tensor[];
}

/** A model with fresh weights, none of which exist yet, and what it is given. */
export interface PlannedModel {
  readonly module: Module;
  readonly input: PlannedImages | PlannedTexts;
}

/** Images and what an encoder makes of them. */
export interface PlannedImages {
  readonly kind: 'images';
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly grid: readonly [rows: number, columns: number];
  /** Width of a visual token. */
  readonly featureWidth: number;
  readonly features: () => Recorded;
  readonly loss: () => Tensor;
}

/** Texts and what a model makes of them; sizes in tokens. */
export interface PlannedTexts {
  readonly kind: 'texts';
  readonly batch: number;
  readonly context: number;
  /** Longest text that the model is made for. */
  readonly maximum: number;
  /** All that a text goes through, for each of its tokens. */
  readonly forward: (context: number) => Recorded;
  /** What is computed first when an answer is wanted; the cache is held. */
  readonly prompt: (context: number) => Recorded;
  readonly loss: (context: number) => Tensor;
}

/** A published model by its name. */
export interface PublishedModel {
  readonly kind: 'vision' | 'text' | 'language';
  readonly build: (size: InputSize) => PlannedModel;
}

type Models<Configs> = { readonly [Name in keyof Configs]: PublishedModel };

/** Every published backbone there is. A new one joins by the table of its configurations. */
export const publishedModels = {
  ...visionModels(clipVisionConfigs, (config) => new ClipVisionTower(config)),
  ...visionModels(siglipVisionConfigs, (config) => new SiglipVisionTower(config)),
  ...visionModels(convNextConfigs, (config) => new ConvNextTower(config)),
  ...visionModels(eva02VisionConfigs, (config) => new Eva02VisionEncoder(config)),
  ...visionModels(samVisionConfigs, (config) => new SamVisionEncoder(config)),
  ...patchModels(pix2structVisionConfigs, (config) => new Pix2StructVisionEncoder(config)),
  ...textModels(robertaConfigs, (config) => new Roberta(config)),
  ...languageModels(llamaConfigs),
} as const satisfies Record<string, PublishedModel>;

/** A name under which {@link publishedModels} has a model. */
export type PublishedName = keyof typeof publishedModels;

function mapped<Configs extends object>(
  configs: Configs,
  model: (config: Configs[keyof Configs]) => PublishedModel,
): Models<Configs> {
  const entries = Object.entries(configs).map(([name, config]) => [name, model(config as Configs[keyof Configs])]);
  return Object.fromEntries(entries) as Models<Configs>;
}

/** Encoders of pixels. */
function visionModels<
  Config extends { readonly imageSize: number; readonly numChannels: number },
  Names extends string,
>(configs: Readonly<Record<Names, Config>>, create: (config: Config) => VisionEncoder): Models<Record<Names, Config>> {
  const model = (config: Config): PublishedModel => ({
    kind: 'vision',
    build: ({ batch, image }) => {
      const encoder = create(config);
      const { imageSize, numChannels: channels } = config;
      const [height, width] = image ?? [imageSize, imageSize];
      const isOwn = height === imageSize && width === imageSize;
      const pixels = placeholder([batch, channels, height, width]);
      // Encoders without positions take any size as they are.
      const options = isOwn ? {} : { interpolatePositions: true };
      return { module: encoder, input: images(encoder, { pixels, height, width, channels, options }) };
    },
  });
  return mapped(configs, model);
}

/** Encoders of images that are cut into patches beforehand, whatever their size. */
function patchModels<
  Config extends { readonly patchSize: number; readonly maxPatches: number; readonly patchEmbedHiddenSize: number },
  Names extends string,
>(configs: Readonly<Record<Names, Config>>, create: (config: Config) => VisionEncoder): Models<Record<Names, Config>> {
  const model = (config: Config): PublishedModel => ({
    kind: 'vision',
    build: ({ batch, image }) => {
      const encoder = create(config);
      const side = config.patchSize * Math.floor(Math.sqrt(config.maxPatches));
      const [height, width] = image ?? [side, side];
      const [rows, columns] = encoder.featureGrid(height, width);
      // Each patch brings its row and its column along.
      const pixels = placeholder([batch, rows * columns, 2 + config.patchEmbedHiddenSize]);
      return { module: encoder, input: images(encoder, { pixels, height, width, channels: 3, options: {} }) };
    },
  });
  return mapped(configs, model);
}

interface ImageInput {
  readonly pixels: Tensor;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly options: object;
}

function images(encoder: VisionEncoder, { pixels, height, width, channels, options }: ImageInput): PlannedImages {
  const features = () => encoder.features(pixels, options);
  return {
    kind: 'images',
    batch: pixels.shape[0]!,
    height,
    width,
    channels,
    grid: encoder.featureGrid(height, width),
    featureWidth: encoder.width,
    features: () => ({ outputs: [features()], held: [] }),
    loss: () => sum(features()),
  };
}

/** Encoders of texts. */
function textModels<
  Config extends { readonly maxPositionEmbeddings: number; readonly padTokenId: number },
  Names extends string,
>(configs: Readonly<Record<Names, Config>>, create: (config: Config) => Roberta): Models<Record<Names, Config>> {
  const model = (config: Config): PublishedModel => ({
    kind: 'text',
    build: ({ batch, context }) => {
      const module = create(config);
      // Positions are counted from behind the id of padding.
      const maximum = config.maxPositionEmbeddings - config.padTokenId - 1;
      const states = (tokens: number) =>
        module.forward({ inputIds: placeholder([batch, tokens], 'int32') }).lastHiddenState;
      const forward = (tokens: number) => ({ outputs: [states(tokens)], held: [] });
      return {
        module,
        input: {
          kind: 'texts',
          batch,
          context: context ?? maximum,
          maximum,
          forward,
          prompt: forward,
          loss: (tokens) => sum(states(tokens)),
        },
      };
    },
  });
  return mapped(configs, model);
}

/** Tokens of a text where nothing else is said. */
const usualContext = 2048;

/** Decoders. */
function languageModels<Names extends string>(
  configs: Readonly<Record<Names, LlamaConfig>>,
): Models<Record<Names, LlamaConfig>> {
  const model = (config: LlamaConfig): PublishedModel => ({
    kind: 'language',
    build: ({ batch, context }) => {
      const module = new Llama(config);
      const ids = (tokens: number) => placeholder([batch, tokens], 'int32');
      const maximum = config.maxPositionEmbeddings;
      return {
        module,
        input: {
          kind: 'texts',
          batch,
          context: context ?? Math.min(usualContext, maximum),
          maximum,
          forward: (tokens) => ({ outputs: [module.forward({ inputIds: ids(tokens) }).logits], held: [] }),
          prompt: (tokens) => {
            const { logits, cache } = module.prefill({ inputIds: ids(tokens), capacity: tokens });
            return { outputs: [logits], held: [...cache.keys, ...cache.values] };
          },
          loss: (tokens) => module.forward({ inputIds: ids(tokens), labels: ids(tokens) }).loss!,
        },
      };
    },
  });
  return mapped(configs, model);
}
