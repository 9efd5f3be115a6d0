import {
  add,
  broadcastTo,
  Conv2d,
  concat,
  Embedding,
  initializers,
  interpolate,
  Module,
  Parameter,
  reshape,
  ShapeError,
  sliceAxis,
  type Tensor,
  transpose,
} from '@ocelli/core-tensor';
import type { ClipVisionConfig } from './config.js';

/** Patches as tokens behind a class token, with learned positions. */
export class ClipVisionEmbeddings extends Module {
  readonly class_embedding: Parameter;
  readonly patch_embedding: Conv2d;
  readonly position_embedding: Embedding;

  constructor(private readonly config: ClipVisionConfig) {
    super();
    const { hiddenSize, numChannels, imageSize, patchSize, initializerRange, initializerFactor } = config;
    const initializer = initializers.normal(0, initializerRange * initializerFactor);
    this.class_embedding = new Parameter([hiddenSize], {
      initializer: initializers.normal(0, hiddenSize ** -0.5 * initializerFactor),
    });
    this.patch_embedding = new Conv2d(numChannels, hiddenSize, patchSize, {
      stride: patchSize,
      bias: false,
      initializer,
    });
    const grid = Math.floor(imageSize / patchSize);
    this.position_embedding = new Embedding(1 + grid ** 2, hiddenSize, { initializer });
  }

  /** pixels [batch, channels, height, width] → [batch, 1 + patches, width], patches row by row. */
  forward(pixels: Tensor, interpolatePositions: boolean): Tensor {
    const [batch, , height, width] = pixels.shape as [number, number, number, number];
    const { hiddenSize, imageSize } = this.config;
    if (!interpolatePositions && (height !== imageSize || width !== imageSize)) {
      throw new ShapeError({
        operation: 'ClipVisionTower',
        expected: `pixels [batch, channels, ${imageSize}, ${imageSize}]`,
        received: [pixels.shape],
        remedy: 'Resize the images, or set interpolatePositions.',
      });
    }
    const map = this.patch_embedding.forward(pixels); // [batch, width, rows, columns]
    const [rows, columns] = map.shape.slice(2) as [number, number];
    const patches = transpose(reshape(map, [batch, hiddenSize, rows * columns])); // [batch, patches, width]
    const first = broadcastTo(reshape(this.class_embedding, [1, 1, hiddenSize]), [batch, 1, hiddenSize]);
    return add(concat([first, patches], 1), this.positions(rows, columns, height === width));
  }

  /** The table for a grid of patches, [1 + rows · columns, width]: bicubic between the learned positions. */
  private positions(rows: number, columns: number, isSquare: boolean): Tensor {
    const table = this.position_embedding.weight;
    const [count, width] = table.shape as [number, number];
    if (rows * columns === count - 1 && isSquare) return table;
    const grid = Math.sqrt(count - 1);
    const map = transpose(reshape(sliceAxis(table, 0, 1), [1, grid * grid, width])); // [1, width, grid · grid]
    const resized = interpolate(reshape(map, [1, width, grid, grid]), { size: [rows, columns], mode: 'bicubic' });
    const patches = transpose(reshape(resized, [width, rows * columns])); // [rows · columns, width]
    return concat([sliceAxis(table, 0, 0, 1), patches], 0);
  }
}
