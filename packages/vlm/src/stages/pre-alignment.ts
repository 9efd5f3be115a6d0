import { ConfigError, type Module, type NamedParameters } from '@ocelli/core-tensor';
import type { VisionLanguageConfig } from '../config.js';
import type { EncoderMixtureConfigInput } from '../mixture/config.js';
import { EncoderMixture } from '../mixture/encoder-mixture.js';
import type { FittedProjectorConfigInput } from '../projection.js';
import type { VisionLanguageModel } from '../vision-language-model.js';

/** A model whose encoder is a mixture. */
export interface MixtureModelConfig extends VisionLanguageConfig {
  readonly vision: EncoderMixtureConfigInput & { readonly type: 'mixture' };
}

/**
 * The model in which one expert of a mixture is pre-aligned: the expert alone, on the same grid, a projector of the
 * mixture's kind for its width, and the same language model, whose weights it has to be given, as it stays frozen.
 *
 * @param index of the expert in the mixture
 * @throws ConfigError if the mixture has no such expert
 */
export function preAlignmentConfig(config: MixtureModelConfig, index: number): MixtureModelConfig {
  const { encoders, fusion } = config.vision;
  const expert = encoders[index];
  if (expert === undefined) {
    throw new ConfigError({
      operation: 'preAlignmentConfig',
      expected: `the index of one of ${encoders.length} experts`,
      received: String(index),
    });
  }
  const grid = fusion !== undefined && 'grid' in fusion && fusion.grid !== undefined ? { grid: fusion.grid } : {};
  const {
    visionWidth: _,
    inputTokens: __,
    ...projector
  } = config.projector as FittedProjectorConfigInput & {
    readonly inputTokens?: number;
  };
  return {
    ...config,
    vision: { ...config.vision, encoders: [expert], fusion: { type: 'channel-concat', ...grid } },
    projector: projector as FittedProjectorConfigInput,
  };
}

/** Models with one pre-aligned expert each, by the index of the expert in the mixture. */
export type AlignedExperts = Readonly<Record<number, VisionLanguageModel>>;

/**
 * Carries the encoders of pre-aligned models into a mixture. Their projectors are dropped, as the mixture has one of its
 * own; its other experts, projector and language model stay as they are.
 *
 * @throws ConfigError if a model has more than one expert, or another one than the mixture has at its place; nothing is
 *   carried then
 */
export async function assembleExperts(model: VisionLanguageModel, aligned: AlignedExperts): Promise<void> {
  const carried = Object.entries(aligned).flatMap(([index, source]) => {
    const target = expertAt(model, Number(index));
    const only = expertAt(source, 0);
    requireSame(index, { target, only, count: mixtureOf(source).vision_towers.length });
    return Object.entries(only.parameters).map(([name, parameter]) => [parameter, target.parameters[name]!] as const);
  });
  for (const [from, to] of carried) to.set(await from.data());
}

interface ExpertOf {
  readonly config: object | undefined;
  readonly parameters: NamedParameters;
}

function mixtureOf({ vision }: VisionLanguageModel): EncoderMixture {
  if (vision instanceof EncoderMixture) return vision;
  throw new ConfigError({
    operation: 'assembleExperts',
    expected: 'models whose encoder is a mixture',
    received: vision.config.type,
    remedy: 'Make the model of an expert with preAlignmentConfig.',
  });
}

function expertAt(model: VisionLanguageModel, index: number): ExpertOf {
  const mixture = mixtureOf(model);
  const tower = mixture.vision_towers[index] as Module | { readonly vision_tower: Module } | undefined;
  const module = tower !== undefined && 'namedParameters' in tower ? tower : tower?.vision_tower;
  return { config: mixture.config.encoders[index], parameters: module?.namedParameters() ?? {} };
}

function requireSame(
  index: string,
  { target, only, count }: { readonly target: ExpertOf; readonly only: ExpertOf; readonly count: number },
): void {
  const [expected, received] = [target, only].map(({ config }) => JSON.stringify(config) ?? 'none');
  if (count === 1 && target.config !== undefined && expected === received) return;
  throw new ConfigError({
    operation: `assembleExperts (${index})`,
    expected: `a model with the expert ${expected} alone`,
    received: count === 1 ? String(received) : `one with ${count} experts`,
    remedy: 'Make the model of an expert with preAlignmentConfig.',
  });
}
