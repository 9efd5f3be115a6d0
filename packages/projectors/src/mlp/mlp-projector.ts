import {
  type LayerNorm,
  type LoadOptions,
  Module,
  type Parameter,
  type StateEntry,
  type Tensor,
} from '@ocelli/core-tensor';
import type { Projector } from '../projector.js';
import {
  appendEndTokens,
  createEndTokens,
  createPositions,
  createPrenorm,
  prepareFeatures,
  withoutClassPosition,
} from '../shared.js';
import {
  type LinearProjectorConfig,
  type LinearProjectorConfigInput,
  type MlpProjectorConfig,
  type MlpProjectorConfigInput,
  parseLinearProjectorConfig,
  parseMlpProjectorConfig,
} from './config.js';
import { Mlp } from './mlp.js';

/** One linear layer from vision width to language width: as many tokens as features (LLaVA; Honeybee §3.2). */
export class LinearProjector extends Module implements Projector {
  readonly config: LinearProjectorConfig;
  readonly eos_tokens: Parameter | undefined;
  readonly pos_emb: Parameter | undefined;
  readonly prenorm: LayerNorm | undefined;
  readonly net: Mlp;

  /** @throws ConfigError that names every missing, unknown or invalid field */
  constructor(config: LinearProjectorConfigInput) {
    super();
    this.config = parseLinearProjectorConfig(config);
    this.eos_tokens = createEndTokens(this.config);
    this.pos_emb = createPositions(this.config);
    this.prenorm = createPrenorm(this.config);
    const { visionWidth, languageWidth, initializerRange } = this.config;
    this.net = new Mlp(1, visionWidth, languageWidth, initializerRange);
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

/** Linear layers with SiLU between them, from vision width to language width (LLaVA-1.5 has GELU; Honeybee §3.2). */
export class MlpProjector extends Module implements Projector {
  readonly config: MlpProjectorConfig;
  readonly eos_tokens: Parameter | undefined;
  readonly pos_emb: Parameter | undefined;
  readonly prenorm: LayerNorm | undefined;
  readonly net: Mlp;

  /** @throws ConfigError that names every missing, unknown or invalid field */
  constructor(config: MlpProjectorConfigInput) {
    super();
    this.config = parseMlpProjectorConfig(config);
    this.eos_tokens = createEndTokens(this.config);
    this.pos_emb = createPositions(this.config);
    this.prenorm = createPrenorm(this.config);
    const { depth, visionWidth, languageWidth, initializerRange } = this.config;
    this.net = new Mlp(depth, visionWidth, languageWidth, initializerRange);
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
