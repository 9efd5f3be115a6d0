import {
  initializers,
  type LayerNorm,
  type LoadOptions,
  Module,
  type Parameter,
  type StateEntry,
  type Tensor,
} from '@ocelli/core-tensor';
import type { Projector } from '../projector.js';
import { appendEndTokens, createSurroundings, prepareFeatures, withoutClassPosition } from '../shared.js';
import {
  type LinearProjectorConfig,
  type LinearProjectorConfigInput,
  type MlpProjectorConfig,
  type MlpProjectorConfigInput,
  parseLinearProjectorConfig,
  parseMlpProjectorConfig,
} from './config.js';
import { Mlp } from './mlp.js';

/** A {@link LinearProjectorConfigInput}, known by its type, or an {@link MlpProjectorConfigInput}. */
export type MlpOrLinearConfigInput =
  | (LinearProjectorConfigInput & { readonly type: 'linear' })
  | MlpProjectorConfigInput;

/**
 * Linear layers with an activation between them, from vision width to language width: as many tokens as features. One
 * layer is the projector `linear` (LLaVA; LLaVA-1.5 has two and GELU; Honeybee §3.2 has SiLU).
 */
export class MlpProjector extends Module implements Projector {
  readonly config: LinearProjectorConfig | MlpProjectorConfig;
  readonly eos_tokens: Parameter | undefined;
  readonly pos_emb: Parameter | undefined;
  readonly prenorm: LayerNorm | undefined;
  readonly net: Mlp;

  /** @throws ConfigError that names every missing, unknown or invalid field */
  constructor(config: MlpOrLinearConfigInput) {
    super();
    this.config = config.type === 'linear' ? parseLinearProjectorConfig(config) : parseMlpProjectorConfig(config);
    ({ eos_tokens: this.eos_tokens, pos_emb: this.pos_emb, prenorm: this.prenorm } = createSurroundings(this.config));
    const { visionWidth, languageWidth, weightStart, initializerRange } = this.config;
    const { depth, activation } = this.config.type === 'mlp' ? this.config : { depth: 1, activation: 'silu' as const };
    const initializer = weightStart === 'normal' ? initializers.normal(0, initializerRange) : undefined;
    this.net = new Mlp(depth, visionWidth, languageWidth, { activation, initializer });
  }

  tokens(inputTokens: number): number {
    return inputTokens + this.config.endTokens;
  }

  /** features [batch, tokens, visionWidth] → [batch, tokens + endTokens, languageWidth] */
  forward(features: Tensor): Tensor {
    return appendEndTokens(this.net.forward(prepareFeatures(features, this)), this.eos_tokens);
  }

  /** As in every module; a position table of Honeybee's first release loses its row for the class token. */
  override loadState(state: Readonly<Record<string, StateEntry>>, options?: LoadOptions): void {
    super.loadState(withoutClassPosition(state, this.pos_emb), options);
  }
}
