import {
  initializers,
  type LayerNorm,
  type LoadOptions,
  Module,
  type Parameter,
  reshape,
  ShapeError,
  type StateEntry,
  type Tensor,
} from '@ocelli/core-tensor';
import { Mlp } from '../mlp/mlp.js';
import type { Projector } from '../projector.js';
import { appendEndTokens, createSurroundings, prepareFeatures, withoutClassPosition } from '../shared.js';
import { adaptiveAvgPoolChannelsLast } from './adaptive-pool.js';
import { type CAbstractorConfig, type CAbstractorConfigInput, parseCAbstractorConfig } from './config.js';
import { ConvolutionStage } from './convolution-stage.js';

/**
 * Convolutions, pooling to any square number of tokens, convolutions: keeps what is where, unlike a resampler
 * (Cha et al. 2024, "Honeybee: Locality-enhanced Projector for Multimodal LLM", §3.3).
 */
export class CAbstractor extends Module implements Projector {
  readonly config: CAbstractorConfig;
  readonly eos_tokens: Parameter | undefined;
  readonly pos_emb: Parameter | undefined;
  readonly prenorm: LayerNorm | undefined;
  /** Stages before and behind the pooling, which the official code counts as number 1; none at depth 0. */
  readonly net: { readonly 0?: ConvolutionStage; readonly 2?: ConvolutionStage };
  readonly readout: Mlp;

  /** @throws ConfigError that names every missing, unknown or invalid field */
  constructor(config: CAbstractorConfigInput) {
    super();
    this.config = parseCAbstractorConfig(config);
    ({ eos_tokens: this.eos_tokens, pos_emb: this.pos_emb, prenorm: this.prenorm } = createSurroundings(this.config));
    const { visionWidth, languageWidth, hiddenSize, depth, mlpDepth, block, initializerRange } = this.config;
    const stage = (inputs: number) =>
      new ConvolutionStage(depth, inputs, hiddenSize, { deviation: initializerRange, block });
    this.net = depth === 0 ? {} : { 0: stage(visionWidth), 2: stage(hiddenSize) };
    this.readout = new Mlp(mlpDepth, depth === 0 ? visionWidth : hiddenSize, languageWidth, {
      initializer: initializers.normal(0, initializerRange),
    });
  }

  tokens(_inputTokens: number): number {
    return this.config.outputTokens + this.config.endTokens;
  }

  /**
   * features [batch, g², visionWidth], row by row → [batch, outputTokens + endTokens, languageWidth]
   *
   * @throws ShapeError if the features do not fit the configuration, or are no square grid
   */
  forward(features: Tensor): Tensor {
    const prepared = prepareFeatures(features, this);
    const [batch, tokens, width] = prepared.shape as [number, number, number];
    const side = Math.sqrt(tokens);
    if (!Number.isInteger(side)) {
      throw new ShapeError({
        operation: 'CAbstractor',
        expected: 'features [batch, grid², visionWidth]',
        received: [features.shape],
        remedy: 'Drop the class token, and use square images.',
      });
    }
    let map = reshape(prepared, [batch, side, side, width]);
    if (this.net[0]) map = this.net[0].forward(map);
    const outputSide = Math.sqrt(this.config.outputTokens);
    map = adaptiveAvgPoolChannelsLast(map, [outputSide, outputSide]);
    if (this.net[2]) map = this.net[2].forward(map);
    const pooled = reshape(map, [batch, this.config.outputTokens, map.shape[3]!]); // [batch, outputTokens, hiddenSize]
    return appendEndTokens(this.readout.forward(pooled), this.eos_tokens);
  }

  /** As in every module; a position table of Honeybee's first release loses its row for the class token. */
  override loadState(state: Readonly<Record<string, StateEntry>>, options?: LoadOptions): void {
    super.loadState(withoutClassPosition(state, this.pos_emb), options);
  }
}
