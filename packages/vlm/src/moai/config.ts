import { parseConfig } from '@ocelli/core-tensor';
import { clipVisionConfigs } from '@ocelli/encoders';
import { type LlamaConfig, type LlamaConfigInput, llamaConfigs, parseLlamaConfig } from '@ocelli/language';
import {
  type MoaiCompressorConfig,
  type MoaiCompressorConfigInput,
  type MoaiMixersConfig,
  type MoaiMixersConfigInput,
  type PartialLoraConfig,
  type PartialLoraConfigInput,
  parseMoaiCompressorConfig,
  parseMoaiMixersConfig,
  parsePartialLoraConfig,
} from '@ocelli/moai-mixer';
import { z } from 'zod';
import type { FittedProjectorConfigInput } from '../projection.js';
import type { VisionConfigInput } from '../vision.js';

/** Structure of a decoder with mixers; plain data. What is left out is MoAI-7B's. */
export interface MoaiDecoderConfigInput {
  /** Default: InternLM2-7B. */
  readonly language?: LlamaConfigInput;
  readonly mixers?: Omit<MoaiMixersConfigInput, 'hiddenSize'>;
  /** Low-rank corrections at image positions; `null` for none. */
  readonly partialLora?: PartialLoraConfigInput | null;
}

/** A {@link MoaiDecoderConfigInput} with its defaults filled in. */
export interface MoaiDecoderConfig {
  readonly language: LlamaConfig;
  readonly mixers: Omit<MoaiMixersConfig, 'hiddenSize'>;
  readonly partialLora: PartialLoraConfig | null;
}

/** Structure of a MoAI model; plain data. What is left out is MoAI-7B's. */
export interface MoaiConfigInput extends MoaiDecoderConfigInput {
  /** Default: CLIP ViT-L/14 for pictures of 490 × 490 pixels. */
  readonly vision?: VisionConfigInput;
  /**
   * Hidden state of the tower that the projector gets. Default: −1 for CLIP, the output of the last block; that of the
   * encoder for others.
   */
  readonly featureLayer?: number | undefined;
  /** Its widths, and its number of features, may be left out. Default: MoAI's, which is linear, GELU, linear. */
  readonly projector?: FittedProjectorConfigInput;
  readonly compressor?: Omit<MoaiCompressorConfigInput, 'hiddenSize'>;
}

/** A {@link MoaiConfigInput} with its defaults filled in. */
export interface MoaiConfig extends MoaiDecoderConfig {
  readonly vision: VisionConfigInput;
  readonly featureLayer?: number | undefined;
  readonly projector: FittedProjectorConfigInput;
  readonly compressor: Omit<MoaiCompressorConfig, 'hiddenSize'>;
}

/** The parts check their own configurations. */
const part = z.looseObject({});

/** A part that is as wide as the language model. */
const widePart = z.looseObject({ hiddenSize: z.undefined('follows from the language model').optional() });

const decoderFields = {
  language: part.optional(),
  mixers: widePart.optional(),
  partialLora: part.nullable().optional(),
};

const decoderSchema = z.strictObject(decoderFields);

const schema = z.strictObject({
  ...decoderFields,
  vision: part.optional(),
  featureLayer: z.int().optional(),
  projector: part.optional(),
  compressor: widePart.optional(),
});

function decoderParts({
  language: given = llamaConfigs['internlm2-7b'],
  mixers = {},
  partialLora = {},
}: MoaiDecoderConfigInput): MoaiDecoderConfig {
  const language = parseLlamaConfig(given);
  // With the width, which heads must divide.
  const { hiddenSize: _width, ...others } = parseMoaiMixersConfig({ ...mixers, hiddenSize: language.hiddenSize });
  return { language, mixers: others, partialLora: partialLora && parsePartialLoraConfig(partialLora) };
}

/** @throws ConfigError that names every unknown or invalid field */
export function parseMoaiDecoderConfig(config: MoaiDecoderConfigInput): MoaiDecoderConfig {
  parseConfig('MoaiDecoder', decoderSchema, config);
  return decoderParts(config);
}

/** @throws ConfigError that names every unknown or invalid field */
export function parseMoaiConfig(config: MoaiConfigInput): MoaiConfig {
  parseConfig('MoaiModel', schema, config);
  const {
    vision = { ...clipVisionConfigs['clip-vit-large-patch14-336'], imageSize: 490 },
    projector = { type: 'mlp', activation: 'gelu', weightStart: 'uniform' },
    compressor = {},
    language,
    mixers,
    partialLora,
  } = config;
  const featureLayer = config.featureLayer ?? ((vision.type ?? 'clip') === 'clip' ? -1 : undefined);
  const decoder = decoderParts({
    ...(language && { language }),
    ...(mixers && { mixers }),
    ...(partialLora !== undefined && { partialLora }),
  });
  const width = { hiddenSize: decoder.language.hiddenSize };
  const { hiddenSize: _width, ...parsedCompressor } = parseMoaiCompressorConfig({ ...compressor, ...width });
  return {
    ...decoder,
    vision,
    ...(featureLayer !== undefined && { featureLayer }),
    projector,
    compressor: parsedCompressor,
  };
}
