import { Conv2d, initializers, LayerNorm2d, Module, type Tensor } from '@ocelli/core-tensor';
import type { SamVisionConfig } from './config.js';

const epsilon = 1e-6;

/** From the width of the tokens to the channels of the output; without a 3 × 3 convolution where it is `short`. */
export class SamNeck extends Module {
  readonly conv1: Conv2d;
  readonly layer_norm1: LayerNorm2d;
  readonly conv2: Conv2d | undefined;
  readonly layer_norm2: LayerNorm2d | undefined;

  constructor({ hiddenSize, outputChannels, neck, initializerRange }: SamVisionConfig) {
    super();
    const isFull = neck === 'full';
    // Eagle's starts as any layer of PyTorch.
    const start = isFull ? { initializer: initializers.normal(0, initializerRange) } : {};
    this.conv1 = new Conv2d(hiddenSize, outputChannels, 1, { bias: false, ...start });
    this.layer_norm1 = new LayerNorm2d(outputChannels, epsilon);
    this.conv2 = isFull
      ? new Conv2d(outputChannels, outputChannels, 3, { padding: 1, bias: false, ...start })
      : undefined;
    this.layer_norm2 = isFull ? new LayerNorm2d(outputChannels, epsilon) : undefined;
  }

  /** map [batch, width, rows, columns] → [batch, outputChannels, rows, columns] */
  forward(map: Tensor): Tensor {
    const narrowed = this.layer_norm1.forward(this.conv1.forward(map));
    return this.conv2 && this.layer_norm2 ? this.layer_norm2.forward(this.conv2.forward(narrowed)) : narrowed;
  }
}
