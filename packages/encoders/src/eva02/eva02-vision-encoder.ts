import {
  add,
  Conv2d,
  initializers,
  Module,
  Parameter,
  reshape,
  sliceAxis,
  type Tensor,
  transpose,
} from '@ocelli/core-tensor';
import type { FeatureLevel, FeatureOptions, VisionEncoder } from '../vision-encoder.js';
import { blocksOfHiddenState } from '../vit/hidden-state.js';
import { patchGrid, requirePixels } from '../vit/patches.js';
import { resizePositions } from '../vit/positions.js';
import { gridToTokens } from '../vit/windows.js';
import { Eva02Block } from './block.js';
import { type Eva02VisionConfig, type Eva02VisionConfigInput, parseEva02VisionConfig } from './config.js';
import { type RotaryGrid, rotaryGrid } from './rotary.js';

export interface Eva02ForwardOptions {
  /**
   * Take images of any size, at least a patch in each direction; the rotary positions of blocks that attend globally
   * span any grid. Default: false, which refuses other sizes than the configured one, as the original does.
   */
  readonly interpolatePositions?: boolean;
}

export interface Eva02FeatureOptions extends Eva02ForwardOptions, FeatureOptions {}

/** What the encoder computes; a tensor that nobody asks for costs nothing. */
export interface Eva02VisionOutput {
  /** Input of the first block, then the output of each block: numHiddenLayers + 1 of [batch, tokens, width]. */
  readonly hiddenStates: readonly Tensor[];
  /** Output of the last block; there is no final norm. [batch, width, rows, columns] */
  readonly featureMap: Tensor;
}

class PatchEmbedding extends Module {
  readonly proj: Conv2d;

  constructor({ numChannels, hiddenSize, patchSize }: Eva02VisionConfig) {
    super();
    this.proj = new Conv2d(numChannels, hiddenSize, patchSize, { stride: patchSize });
  }

  /** pixels [batch, channels, height, width] → [batch, rows, columns, width] */
  forward(pixels: Tensor): Tensor {
    return transpose(this.proj.forward(pixels), [0, 2, 3, 1]);
  }
}

/**
 * EVA-02 as a backbone for detection (Fang et al. 2023, "EVA-02: A Visual Representation for Neon Genesis"): a vision
 * transformer with two-dimensional rotary positions whose blocks mostly attend within windows. Parameters are named as
 * in `EVAViT` of EVA-02 and Eagle, and start as there.
 */
export class Eva02VisionEncoder extends Module implements VisionEncoder {
  readonly config: Eva02VisionConfig;
  readonly width: number;
  readonly patch_embed: PatchEmbedding;
  /** [1, 1 + positions, width]; the first row, of a class token that detection has not, is stored and never used. */
  readonly pos_embed: Parameter;
  readonly blocks: readonly Eva02Block[];

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: Eva02VisionConfigInput = {}) {
    super();
    this.config = parseEva02VisionConfig(config);
    const { hiddenSize, numHiddenLayers, patchSize, pretrainImageSize, windowBlockIndexes, windowSize } = this.config;
    this.width = hiddenSize;
    this.patch_embed = new PatchEmbedding(this.config);
    this.pos_embed = new Parameter([1, 1 + Math.floor(pretrainImageSize / patchSize) ** 2, hiddenSize], {
      initializer: initializers.normal(0, 0.02),
    });
    this.blocks = Array.from(
      { length: numHiddenLayers },
      (_, index) => new Eva02Block(this.config, windowBlockIndexes.includes(index) ? windowSize : undefined),
    );
  }

  /**
   * pixels [batch, channels, height, width] → all hidden states and the last one as a map.
   *
   * @throws ShapeError if the pixels do not have the configured size, unless `interpolatePositions` is set
   */
  forward(pixels: Tensor, options: Eva02ForwardOptions = {}): Eva02VisionOutput {
    const states = this.states(pixels, this.blocks.length, options);
    return { hiddenStates: states.map(gridToTokens), featureMap: transpose(states.at(-1)!, [0, 3, 1, 2]) };
  }

  /**
   * One hidden state, for a projector; blocks beyond it do not run.
   * pixels [batch, channels, height, width] → [batch, tokens, width]. The default is the output of the last block.
   *
   * @throws ConfigError if there is no such layer
   * @throws ShapeError as {@link forward}
   */
  features(pixels: Tensor, { layer = -1, ...options }: Eva02FeatureOptions = {}): Tensor {
    const blocks = blocksOfHiddenState('Eva02VisionEncoder.features', layer, this.blocks.length);
    return gridToTokens(this.states(pixels, blocks, options).at(-1)!);
  }

  /** All hidden states. */
  levels(pixels: Tensor, options: Eva02ForwardOptions = {}): FeatureLevel[] {
    return this.states(pixels, this.blocks.length, options).map((state) => ({
      features: gridToTokens(state),
      grid: state.shape.slice(1, 3) as [number, number],
    }));
  }

  get imageSize(): number {
    return this.config.imageSize;
  }

  featureGrid(height: number = this.config.imageSize, width: number = height): [rows: number, columns: number] {
    return patchGrid(height, width, this.config.patchSize);
  }

  /** The tables by which a block turns queries and keys: of a window, or of a grid for global attention. */
  rotary(grid: readonly [rows: number, columns: number]): RotaryGrid {
    const { hiddenSize, numAttentionHeads, rotarySequenceLength: sequenceLength, rotaryTheta: theta } = this.config;
    return rotaryGrid(hiddenSize / numAttentionHeads, grid, { sequenceLength, theta });
  }

  /** Hidden states, [batch, rows, columns, width]. */
  private states(pixels: Tensor, blocks: number, { interpolatePositions = false }: Eva02ForwardOptions): Tensor[] {
    requirePixels('Eva02VisionEncoder', pixels, this.config, interpolatePositions);
    const { windowSize } = this.config;
    const patches = this.patch_embed.forward(pixels);
    const grid = patches.shape.slice(1, 3) as [number, number];
    const [inWindow, onGrid] = [this.rotary([windowSize, windowSize]), this.rotary(grid)];
    let state = add(patches, this.positions(grid));
    const states = [state];
    for (const block of this.blocks.slice(0, blocks)) {
      state = block.forward(state, block.windowSize === undefined ? onGrid : inWindow);
      states.push(state);
    }
    return states;
  }

  /** The table for a grid of patches, [1, rows, columns, width]: bicubic between the learned positions. */
  private positions([rows, columns]: readonly [number, number]): Tensor {
    const table = reshape(sliceAxis(this.pos_embed, 1, 1), [-1, this.width]);
    const isOwn = rows === columns && rows * columns === table.shape[0];
    const positions = isOwn ? table : resizePositions(table, { size: [rows, columns] });
    return reshape(positions, [1, rows, columns, this.width]);
  }
}
