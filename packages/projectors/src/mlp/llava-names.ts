import { ConfigError } from '@ocelli/core-tensor';
import type { LinearProjectorConfigInput, MlpProjectorConfigInput } from './config.js';

/** What a name of LLaVA leaves open. */
export interface LlavaProjectorWidths {
  readonly visionWidth: number;
  readonly languageWidth: number;
}

/** A configuration that names its type. */
export type LlavaProjectorConfig =
  | (LinearProjectorConfigInput & { readonly type: 'linear' })
  | (MlpProjectorConfigInput & { readonly type: 'mlp' });

/**
 * The projector that LLaVA, ConvLLaVA and Eagle call `linear`, `mlp{n}x_gelu` (n linear layers, exact GELU between them) or
 * `identity` in `mm_projector_type`. Weights start as PyTorch's, as there. Source: LLaVA
 * `llava/model/multimodal_projector/builder.py`.
 *
 * @throws ConfigError for any other name
 */
export function llavaProjectorConfig(
  name: string,
  { visionWidth, languageWidth }: LlavaProjectorWidths,
): LlavaProjectorConfig {
  const shared = { visionWidth, languageWidth, weightStart: 'uniform' } as const;
  if (name === 'linear') return { type: 'linear', ...shared };
  const depth = name === 'identity' ? 0 : Number(/^mlp([1-9]\d*)x_gelu$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(depth)) {
    throw new ConfigError({
      operation: 'llavaProjectorConfig',
      expected: 'linear, identity, or mlp{n}x_gelu such as mlp2x_gelu',
      received: JSON.stringify(name) ?? 'none',
    });
  }
  return { type: 'mlp', ...shared, depth, activation: 'gelu' };
}
