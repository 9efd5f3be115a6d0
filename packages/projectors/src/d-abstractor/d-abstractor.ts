import {
  add,
  broadcastTo,
  Embedding,
  foldStream,
  initializers,
  Linear,
  Module,
  Parameter,
  reshape,
  sigmoid,
  sliceAxis,
  type Tensor,
} from '@ocelli/core-tensor';
import { adaptiveAvgPoolChannelsLast } from '../c-abstractor/adaptive-pool.js';
import type { Projector, ProjectorForwardOptions } from '../projector.js';
import { appendEndTokens, createEndTokens, createPositions, requireFeatures } from '../shared.js';
import { type DAbstractorConfig, type DAbstractorConfigInput, parseDAbstractorConfig } from './config.js';
import { DAbstractorLayer } from './d-abstractor-layer.js';
import { initialReferencePoints } from './reference-points.js';

/**
 * Queries that look at few places around learned reference points, which start on a grid: any square number of tokens
 * that keep what is where (Cha et al. 2024, "Honeybee: Locality-enhanced Projector for Multimodal LLM", §3.3).
 *
 * Reference points are free parameters, the same in all layers and for all images, and are not clamped; or, as an option,
 * they follow from the queries.
 */
export class DAbstractor extends Module implements Projector {
  readonly config: DAbstractorConfig;
  /** (x, y) of each query, [1, outputTokens, 2]; or what makes them of the queries' positions. */
  readonly reference_points: Parameter | Linear;
  readonly v_pos_emb: Parameter | undefined;
  readonly eos_tokens: Parameter | undefined;
  readonly layers: readonly DAbstractorLayer[];
  /** Only where visionWidth is not hiddenSize. */
  readonly input_proj: readonly Linear[];
  readonly query_position_embeddings: Embedding;
  /** Only where languageWidth is not hiddenSize. */
  readonly output_proj: Linear | undefined;

  /** @throws ConfigError that names every missing, unknown or invalid field */
  constructor(config: DAbstractorConfigInput) {
    super();
    this.config = parseDAbstractorConfig(config);
    const { visionWidth, languageWidth, inputTokens, outputTokens, hiddenSize, initializerRange } = this.config;
    const initializer = initializers.normal(0, initializerRange);
    this.reference_points =
      this.config.referencePoints === 'queries'
        ? new Linear(hiddenSize, 2, { initializer })
        : new Parameter([1, outputTokens, 2], {
            initializer: () => initialReferencePoints(inputTokens, outputTokens),
          });
    this.v_pos_emb = createPositions(this.config, hiddenSize);
    this.eos_tokens = createEndTokens({ ...this.config, languageWidth: hiddenSize });
    this.layers = Array.from({ length: this.config.numHiddenLayers }, () => new DAbstractorLayer(this.config));
    this.input_proj = visionWidth === hiddenSize ? [] : [new Linear(visionWidth, hiddenSize, { initializer })];
    const tables = this.config.pooledTarget === 'none' ? 2 : 1;
    this.query_position_embeddings = new Embedding(outputTokens, tables * hiddenSize, { initializer });
    this.output_proj =
      languageWidth === hiddenSize ? undefined : new Linear(hiddenSize, languageWidth, { initializer });
  }

  tokens(_inputTokens: number): number {
    return this.config.outputTokens + this.config.endTokens;
  }

  /**
   * features [batch, inputTokens, visionWidth], row by row → [batch, outputTokens + endTokens, languageWidth]
   *
   * @throws ShapeError if the features do not fit the configuration
   */
  forward(features: Tensor, { dropoutKey }: ProjectorForwardOptions = {}): Tensor {
    requireFeatures('DAbstractor', features, this.config);
    const [projection] = this.input_proj;
    const projected = projection ? projection.forward(features) : features;
    const placed = this.v_pos_emb ? add(projected, this.v_pos_emb) : projected;
    const side = Math.sqrt(this.config.inputTokens);
    const batch = features.shape[0]!;
    const { position, state } = this.roles(placed);
    const { outputTokens } = this.config;
    const points =
      this.reference_points instanceof Linear
        ? sigmoid(this.reference_points.forward(position))
        : broadcastTo(this.reference_points, [batch, outputTokens, 2]);
    const references = reshape(points, [batch, outputTokens, 1, 2]);
    const memory = { position, references, features: placed, grid: [side, side] as const };
    const decoded = this.layers.reduce(
      (hidden, layer, index) => layer.forward(hidden, memory, dropoutKey && foldStream(dropoutKey, index)),
      state,
    );
    const ended = appendEndTokens(decoded, this.eos_tokens);
    return this.output_proj ? this.output_proj.forward(ended) : ended;
  }

  /** What is added to the queries of every layer, and the first hidden state; both [batch, outputTokens, hiddenSize]. */
  private roles(features: Tensor): { position: Tensor; state: Tensor } {
    const { hiddenSize, inputTokens, outputTokens, pooledTarget } = this.config;
    const batch = features.shape[0]!;
    const table = reshape(this.query_position_embeddings.weight, [1, outputTokens, -1]);
    const perImage = (rows: Tensor) => broadcastTo(rows, [batch, outputTokens, hiddenSize]);
    if (pooledTarget === 'none') {
      const [position, state] = [sliceAxis(table, 2, 0, hiddenSize), sliceAxis(table, 2, hiddenSize)];
      return { position: perImage(position), state: perImage(state) };
    }
    const [side, outputSide] = [Math.sqrt(inputTokens), Math.sqrt(outputTokens)];
    const map = reshape(features, [batch, side, side, hiddenSize]);
    const cells = adaptiveAvgPoolChannelsLast(map, [outputSide, outputSide]);
    const pooled = reshape(cells, [batch, outputTokens, hiddenSize]);
    const learned = perImage(table);
    return pooledTarget === 'query' ? { position: pooled, state: learned } : { position: learned, state: pooled };
  }
}
