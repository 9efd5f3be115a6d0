import { add, Conv2d, Embedding, initializers, Module, type Tensor } from '@ocelli/core-tensor';
import { mapToTokens, patchGrid } from '../vit/patches.js';
import { resizePositions } from '../vit/positions.js';
import type { SiglipVisionConfig } from './config.js';

/** Patches as tokens, with learned positions; there is no class token. */
export class SiglipVisionEmbeddings extends Module {
  readonly patch_embedding: Conv2d;
  readonly position_embedding: Embedding;
  private readonly grid: number;

  constructor({ hiddenSize, numChannels, imageSize, patchSize }: SiglipVisionConfig) {
    super();
    this.patch_embedding = new Conv2d(numChannels, hiddenSize, patchSize, {
      stride: patchSize,
      initializer: initializers.lecunNormal,
    });
    [this.grid] = patchGrid(imageSize, imageSize, patchSize);
    this.position_embedding = new Embedding(this.grid ** 2, hiddenSize, {
      initializer: initializers.normal(0, hiddenSize ** -0.5),
    });
  }

  /** pixels [batch, channels, height, width] → [batch, patches, width], row by row. */
  forward(pixels: Tensor): Tensor {
    const map = this.patch_embedding.forward(pixels); // [batch, width, rows, columns]
    const [rows, columns] = map.shape.slice(2) as [number, number];
    return add(mapToTokens(map), this.positions(rows, columns));
  }

  /** The table for a grid of patches, [rows · columns, width]: bicubic between the learned positions. */
  private positions(rows: number, columns: number): Tensor {
    const table = this.position_embedding.weight;
    return rows === this.grid && columns === this.grid ? table : resizePositions(table, { size: [rows, columns] });
  }
}
