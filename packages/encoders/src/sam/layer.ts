import {
  type ActivationName,
  activations,
  add,
  attention,
  initializers,
  LayerNorm,
  Linear,
  Module,
  mergeHeads,
  Parameter,
  reshape,
  split,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';
import { patchGrid } from '../vit/patches.js';
import { gridToTokens, joinWindows, partitionWindows } from '../vit/windows.js';
import type { SamVisionConfig } from './config.js';
import { joinRelativePositions } from './relative-positions.js';

type Grid = readonly [rows: number, columns: number];

/** Multi-head self-attention on a grid, with learned offsets between rows and between columns. */
export class SamAttention extends Module {
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly rel_pos_h: Parameter | undefined;
  readonly rel_pos_w: Parameter | undefined;
  private readonly heads: number;

  /** @param side of the grid that the offsets are learned for */
  constructor(
    { hiddenSize, numAttentionHeads, qkvBias, useRelativePositions, initializerRange }: SamVisionConfig,
    side: number,
  ) {
    super();
    const initializer = initializers.normal(0, initializerRange);
    this.qkv = new Linear(hiddenSize, 3 * hiddenSize, { bias: qkvBias, initializer });
    this.proj = new Linear(hiddenSize, hiddenSize, { initializer });
    const offsets = [2 * side - 1, hiddenSize / numAttentionHeads];
    this.rel_pos_h = useRelativePositions ? new Parameter(offsets) : undefined;
    this.rel_pos_w = useRelativePositions ? new Parameter(offsets) : undefined;
    this.heads = numAttentionHeads;
  }

  /** x [batch, rows · columns, width] → same */
  forward(x: Tensor, grid: Grid): Tensor {
    const [q, k, v] = split(this.qkv.forward(x), 3, -1).map((part) => splitHeads(part, this.heads)) as [
      Tensor,
      Tensor,
      Tensor,
    ]; // each [batch, heads, tokens, head width]
    return this.proj.forward(mergeHeads(this.attend(q, k, v, grid)));
  }

  private attend(q: Tensor, k: Tensor, v: Tensor, grid: Grid): Tensor {
    if (!this.rel_pos_h || !this.rel_pos_w) return attention(q, k, v);
    const tables = { rows: this.rel_pos_h, columns: this.rel_pos_w };
    const [queries, keys] = joinRelativePositions(q, k, tables, grid);
    return attention(queries, keys, v, { scale: 1 });
  }
}

/** lin2(act(lin1(x))). */
export class SamFeedForward extends Module {
  readonly lin1: Linear;
  readonly lin2: Linear;
  private readonly activation: ActivationName;

  constructor({ hiddenSize, intermediateSize, hiddenAct, initializerRange }: SamVisionConfig) {
    super();
    const initializer = initializers.normal(0, initializerRange);
    this.lin1 = new Linear(hiddenSize, intermediateSize, { initializer });
    this.lin2 = new Linear(intermediateSize, hiddenSize, { initializer });
    this.activation = hiddenAct;
  }

  /** x [..., width] → same */
  forward(x: Tensor): Tensor {
    return this.lin2.forward(activations[this.activation](this.lin1.forward(x)));
  }
}

/** Pre-norm transformer block whose attention sees a window of the grid, or all of it. */
export class SamLayer extends Module {
  readonly layer_norm1: LayerNorm;
  readonly attn: SamAttention;
  readonly layer_norm2: LayerNorm;
  readonly mlp: SamFeedForward;

  /** @param windowSize side of the windows in tokens; without one the block attends globally */
  constructor(
    config: SamVisionConfig,
    private readonly windowSize: number | undefined,
  ) {
    super();
    const [side] = patchGrid(config.imageSize, config.imageSize, config.patchSize);
    this.layer_norm1 = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.attn = new SamAttention(config, windowSize ?? side);
    this.layer_norm2 = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.mlp = new SamFeedForward(config);
  }

  /** x [batch, rows, columns, width] → same */
  forward(x: Tensor): Tensor {
    const attended = add(x, this.attend(this.layer_norm1.forward(x)));
    return add(attended, this.mlp.forward(this.layer_norm2.forward(attended)));
  }

  private attend(x: Tensor): Tensor {
    const grid = x.shape.slice(1, 3) as [number, number];
    const side = this.windowSize;
    if (side === undefined) return reshape(this.attn.forward(gridToTokens(x), grid), x.shape);
    // The cells that fill up the windows are zero here, behind the norm: their keys and values are the biases.
    return joinWindows(this.attn.forward(partitionWindows(x, side), [side, side]), side, grid);
  }
}
