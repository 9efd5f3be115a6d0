import { Conv2d, checkpoint, foldStream, LayerNorm2d, Module, type StreamKey, type Tensor } from '@ocelli/core-tensor';
import { ConvNextBlock, type ConvNextBlockConfig } from './block.js';

/** A stage: blocks of one width on one grid. */
export interface ConvNextStageConfig extends ConvNextBlockConfig {
  /** Width of what comes in. */
  readonly inputWidth: number;
  /** Whether the grid is halved in front of the blocks. */
  readonly downsample: boolean;
  /** Rate of stochastic depth of each block, as many as the stage has blocks. */
  readonly dropPathRates: readonly number[];
}

/** How a stage runs. */
export interface StageRun {
  readonly key: StreamKey | undefined;
  /** Whether blocks keep only their input for the backward pass. */
  readonly recompute: boolean;
}

/** Halves the grid, then runs blocks; keys of Hugging Face's `ConvNextStage`. */
export class ConvNextStage extends Module {
  /** A norm over the incoming width, then the convolution; empty in the first stage. */
  readonly downsampling_layer: readonly [] | readonly [LayerNorm2d, Conv2d];
  readonly layers: readonly ConvNextBlock[];

  constructor({ inputWidth, downsample, dropPathRates, ...block }: ConvNextStageConfig) {
    super();
    const { width, layerNormEps, initializer } = block;
    this.downsampling_layer = downsample
      ? [
          new LayerNorm2d(inputWidth, layerNormEps),
          new Conv2d(inputWidth, width, 2, { stride: 2, ...(initializer ? { initializer } : {}) }),
        ]
      : [];
    this.layers = dropPathRates.map((rate) => new ConvNextBlock(block, rate));
  }

  /**
   * x [batch, inputWidth, rows, columns] → [batch, width, rows, columns] of a grid halved, rounding down, where the
   * stage downsamples.
   */
  forward(x: Tensor, { key, recompute }: StageRun): Tensor {
    const input = this.downsampling_layer.reduce((state: Tensor, layer) => layer.forward(state), x);
    return this.layers.reduce((state, block, index) => {
      const run = (input: Tensor) => block.forward(input, key && foldStream(key, index));
      return recompute ? checkpoint(run)(state) : run(state);
    }, input);
  }
}
