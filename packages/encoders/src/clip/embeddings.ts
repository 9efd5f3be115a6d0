import {
  add,
  broadcastTo,
  Conv2d,
  concat,
  Embedding,
  initializers,
  Module,
  Parameter,
  reshape,
  sliceAxis,
  type Tensor,
} from '@ocelli/core-tensor';
import { mapToTokens, patchGrid } from '../vit/patches.js';
import { resizePositions } from '../vit/positions.js';
import type { ClipVisionConfig } from './config.js';

/** Options of {@link ClipVisionEmbeddings}. */
export interface ClipEmbeddingOptions {
  /** Whether the class token stands in front of the patches. */
  readonly classToken: boolean;
  /** Whether positions are resized to other grids with antialiasing. */
  readonly antialias: boolean;
}

/** Patches as tokens behind a class token, with learned positions. */
export class ClipVisionEmbeddings extends Module {
  readonly class_embedding: Parameter;
  readonly patch_embedding: Conv2d;
  readonly position_embedding: Embedding;
  private readonly grid: number;

  constructor({
    hiddenSize,
    numChannels,
    imageSize,
    patchSize,
    initializerRange,
    initializerFactor,
  }: ClipVisionConfig) {
    super();
    const initializer = initializers.normal(0, initializerRange * initializerFactor);
    this.class_embedding = new Parameter([hiddenSize], {
      initializer: initializers.normal(0, hiddenSize ** -0.5 * initializerFactor),
    });
    this.patch_embedding = new Conv2d(numChannels, hiddenSize, patchSize, {
      stride: patchSize,
      bias: false,
      initializer,
    });
    [this.grid] = patchGrid(imageSize, imageSize, patchSize);
    this.position_embedding = new Embedding(1 + this.grid ** 2, hiddenSize, { initializer });
  }

  /** pixels [batch, channels, height, width] → [batch, 1 + patches (or patches), width], patches row by row. */
  forward(pixels: Tensor, { classToken, antialias }: ClipEmbeddingOptions): Tensor {
    const map = this.patch_embedding.forward(pixels); // [batch, width, rows, columns]
    const [batch, width, rows, columns] = map.shape as [number, number, number, number];
    const patches = mapToTokens(map); // [batch, rows · columns, width]
    const positions = this.positions(rows, columns, antialias);
    if (!classToken) return add(patches, sliceAxis(positions, 0, 1));
    const first = broadcastTo(reshape(this.class_embedding, [1, 1, width]), [batch, 1, width]);
    return add(concat([first, patches], 1), positions);
  }

  /** The table for a grid of patches, [1 + rows · columns, width]. */
  private positions(rows: number, columns: number, antialias: boolean): Tensor {
    const table = this.position_embedding.weight;
    if (rows === this.grid && columns === this.grid) return table;
    return resizePositions(table, { prefix: 1, size: [rows, columns], antialias });
  }
}
