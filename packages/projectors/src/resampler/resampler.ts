import {
  broadcastTo,
  foldStream,
  initializers,
  Linear,
  type LoadOptions,
  Module,
  Parameter,
  type StateEntry,
  type Tensor,
} from '@ocelli/core-tensor';
import type { Projector, ProjectorForwardOptions } from '../projector.js';
import { appendEndTokens, createEndTokens, createPositions, prepareFeatures, withoutClassPosition } from '../shared.js';
import { parseResamplerConfig, type ResamplerConfig, type ResamplerConfigInput } from './config.js';
import { ResamplerLayer } from './resampler-layer.js';

/**
 * Learned queries that attend to the features: any number of tokens, without regard to place (Honeybee's baseline,
 * after mPLUG-Owl's abstractor; Cha et al. 2024, §3.2).
 */
export class Resampler extends Module implements Projector {
  readonly config: ResamplerConfig;
  readonly query_tokens: Parameter;
  readonly vit_eos: Parameter | undefined;
  readonly pos_emb: Parameter | undefined;
  readonly encoder: { readonly layers: readonly ResamplerLayer[] };
  readonly visual_input_fc: Linear;
  readonly visual_output_fc: Linear;

  /** @throws ConfigError that names every missing, unknown or invalid field */
  constructor(config: ResamplerConfigInput) {
    super();
    this.config = parseResamplerConfig(config);
    const { visionWidth, languageWidth, outputTokens, hiddenSize, numHiddenLayers, initializerRange } = this.config;
    this.query_tokens = new Parameter([1, outputTokens, hiddenSize], {
      initializer: this.config.queryStart === 'zero' ? initializers.zeros : initializers.normal(0, 0.02),
    });
    this.vit_eos = createEndTokens(this.config);
    this.pos_emb = createPositions(this.config);
    this.encoder = { layers: Array.from({ length: numHiddenLayers }, () => new ResamplerLayer(this.config)) };
    const initializer = initializers.normal(0, initializerRange);
    this.visual_input_fc = new Linear(visionWidth, hiddenSize, { initializer });
    this.visual_output_fc = new Linear(hiddenSize, languageWidth, { initializer });
  }

  tokens(_inputTokens: number): number {
    return this.config.outputTokens + this.config.endTokens;
  }

  /** features [batch, tokens, visionWidth] → [batch, outputTokens + endTokens, languageWidth] */
  forward(features: Tensor, { dropoutKey }: ProjectorForwardOptions = {}): Tensor {
    const memory = this.visual_input_fc.forward(prepareFeatures(features, this));
    const { outputTokens, hiddenSize } = this.config;
    let queries = broadcastTo(this.query_tokens, [features.shape[0]!, outputTokens, hiddenSize]);
    this.encoder.layers.forEach((layer, index) => {
      queries = layer.forward(queries, memory, dropoutKey && foldStream(dropoutKey, index));
    });
    return appendEndTokens(this.visual_output_fc.forward(queries), this.vit_eos);
  }

  /** As in every module; a position table of Honeybee's first release loses its row for the class token. */
  override loadState(state: Readonly<Record<string, StateEntry>>, options?: LoadOptions): void {
    super.loadState(withoutClassPosition(state, this.pos_emb), options);
  }
}
