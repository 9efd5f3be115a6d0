import {
  add,
  div,
  type Initializer,
  initializers,
  Linear,
  Module,
  mul,
  reshape,
  ShapeError,
  select,
  sliceAxis,
  softmax,
  type Tensor,
  tensor,
  transpose,
} from '@ocelli/core-tensor';
import { directionBias } from './direction-bias.js';
import { weightedSamples } from './weighted-samples.js';

/** Structure of a {@link DeformableAttention}. */
export interface DeformableAttentionConfig {
  readonly width: number;
  /** Default: 8. */
  readonly heads?: number;
  /** Places that a head looks at in each level. Default: 4. */
  readonly points?: number;
  /** Maps of different sizes that are looked at together. Default: 4. */
  readonly levels?: number;
  /**
   * Of all weights, biases being zero. Default: the original start, in which each head looks into a direction of its own
   * and a point the further the later it comes.
   */
  readonly initializer?: Initializer | undefined;
}

/** What {@link DeformableAttention} computes. */
export interface DeformableAttentionOutput {
  /** [batch, queries, width] */
  readonly output: Tensor;
  /** [batch, queries, heads, levels, points]; those of a head add up to 1. */
  readonly weights: Tensor;
}

/**
 * Attention to few places near a reference instead of to all: queries say where to look, relative to their references,
 * and how much (Zhu et al. 2021, "Deformable DETR", §4.1; `models/ops/modules/ms_deform_attn.py` with its definition in
 * PyTorch). Parameters are named as there and in Hugging Face's `DeformableDetrMultiscaleDeformableAttention`.
 *
 * out = W_o Σₗₖ aₗₖ · V(ref + Δₗₖ / sizeₗ), a = softmax(W_a q), Δ = W_Δ q
 */
export class DeformableAttention extends Module {
  readonly sampling_offsets: Linear;
  readonly attention_weights: Linear;
  readonly value_proj: Linear;
  readonly output_proj: Linear;
  private readonly heads: number;
  private readonly points: number;
  private readonly levels: number;

  /** @throws ShapeError if the heads do not divide the width */
  constructor({ width, heads = 8, points = 4, levels = 4, initializer }: DeformableAttentionConfig) {
    super();
    if (width % heads !== 0) {
      throw new ShapeError({
        operation: 'DeformableAttention',
        expected: `a width that ${heads} heads divide`,
        received: String(width),
      });
    }
    const zeros = { initializer: initializer ?? initializers.zeros };
    const projection = { initializer: initializer ?? initializers.xavierUniform() };
    const places = heads * levels * points;
    this.sampling_offsets = new Linear(width, places * 2, {
      ...zeros,
      ...(initializer ? {} : { biasInitializer: directionBias({ heads, levels, points }) }),
    });
    this.attention_weights = new Linear(width, places, zeros);
    this.value_proj = new Linear(width, width, projection);
    this.output_proj = new Linear(width, width, projection);
    this.heads = heads;
    this.points = points;
    this.levels = levels;
  }

  /**
   * @param query [batch, queries, width]
   * @param references [batch, queries, levels, 2] as (x, y), or [batch, queries, levels, 4] as boxes (centre x, centre y,
   *   width, height); the whole map spans 0 to 1. Beyond it all is zero.
   * @param value maps of all levels one after the other, row by row: [batch, Σ rows · columns, width]
   * @param grids rows and columns of each level
   * @throws ShapeError if these do not fit each other
   */
  forward(
    query: Tensor,
    references: Tensor,
    value: Tensor,
    grids: readonly (readonly [rows: number, columns: number])[],
  ): DeformableAttentionOutput {
    this.requireShapes(query, references, value, grids);
    const { heads, levels, points } = this;
    const [batch, queries, width] = query.shape as [number, number, number];
    const offsets = reshape(this.sampling_offsets.forward(query), [batch, queries, heads, levels, points, 2]);
    const scores = reshape(this.attention_weights.forward(query), [batch, queries, heads, levels * points]);
    const weights = reshape(softmax(scores, -1), [batch, queries, heads, levels, points]);
    const locations = this.locations(references, offsets, grids); // as offsets
    const values = this.value_proj.forward(value);
    const headWidth = width / heads;
    let start = 0;
    const parts = grids.map(([rows, columns], level) => {
      const cells = sliceAxis(values, 1, start, start + rows * columns);
      start += rows * columns;
      const split = reshape(cells, [batch, rows * columns, heads, headWidth]);
      const maps = reshape(transpose(split, [0, 2, 3, 1]), [batch * heads, headWidth, rows, columns]);
      const places = transpose(select(locations, 3, level), [0, 2, 1, 3, 4]); // [batch, heads, queries, points, 2]
      const shares = transpose(select(weights, 3, level), [0, 2, 1, 3]); // [batch, heads, queries, points]
      return weightedSamples({
        maps,
        locations: reshape(places, [batch * heads, queries, points, 2]),
        shares: reshape(shares, [batch * heads, queries, points]),
      }); // [batch · heads, headWidth, queries]
    });
    const mixed = reshape(
      parts.reduce((total, part) => add(total, part)),
      [batch, width, queries],
    );
    return { output: this.output_proj.forward(transpose(mixed)), weights };
  }

  /** [batch, queries, heads, levels, points, 2], 0 to 1 within a map */
  private locations(references: Tensor, offsets: Tensor, grids: readonly (readonly [number, number])[]): Tensor {
    const { levels, points } = this;
    const [batch, queries] = references.shape as [number, number];
    const axes = [batch, queries, 1, levels, 1, 2];
    const centres = reshape(sliceAxis(references, 3, 0, 2), axes);
    if (references.shape[3] === 4) {
      const sizes = reshape(sliceAxis(references, 3, 2), axes);
      return add(centres, mul(mul(offsets, sizes), 0.5 / points));
    }
    // Offsets are in cells: of (x, y), while grids are (rows, columns).
    const sizes = Float32Array.from(grids.flatMap(([rows, columns]) => [columns, rows]));
    return add(centres, div(offsets, tensor(sizes, [1, 1, 1, levels, 1, 2])));
  }

  private requireShapes(
    query: Tensor,
    references: Tensor,
    value: Tensor,
    grids: readonly (readonly [number, number])[],
  ): void {
    const [batch, queries] = query.shape;
    const [width] = this.output_proj.weight.shape;
    const cells = grids.reduce((total, [rows, columns]) => total + rows * columns, 0);
    const [points] = references.shape.slice(3);
    const isFit =
      grids.length === this.levels &&
      query.shape.join() === [batch, queries, width].join() &&
      references.shape.join() === [batch, queries, this.levels, points].join() &&
      (points === 2 || points === 4) &&
      value.shape.join() === [batch, cells, width].join();
    if (isFit) return;
    throw new ShapeError({
      operation: 'DeformableAttention',
      expected: `query [batch, queries, ${width}], references [batch, queries, ${this.levels}, 2 or 4] and value [batch, ${cells}, ${width}] with grids of ${this.levels} levels`,
      received: [query.shape, references.shape, value.shape],
    });
  }
}
