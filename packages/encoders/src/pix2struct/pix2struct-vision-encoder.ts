import {
  add,
  cast,
  Embedding,
  initializers,
  Linear,
  Module,
  notEqual,
  reshape,
  ShapeError,
  select,
  sliceAxis,
  sum,
  type Tensor,
} from '@ocelli/core-tensor';
import type { FeatureOptions, VisionEncoder } from '../vision-encoder.js';
import { blocksOfHiddenState } from '../vit/hidden-state.js';
import {
  type Pix2StructVisionConfig,
  type Pix2StructVisionConfigInput,
  parsePix2StructVisionConfig,
} from './config.js';
import { Pix2StructLayer, Pix2StructNorm } from './layer.js';
import { variablePatchGrid } from './patch-grid.js';

export interface Pix2StructForwardOptions {
  /**
   * [batch, tokens], zero where a patch is padding, which no token attends to; null where none is. Default: padding is
   * what sums to zero with its row and column.
   */
  readonly attentionMask?: Tensor | null | undefined;
}

export interface Pix2StructFeatureOptions extends Pix2StructForwardOptions, FeatureOptions {
  /**
   * Which hidden state: 0 is the input of the first block, −1 the output of the last one. Default: the final norm of
   * that.
   */
  readonly layer?: number | undefined;
}

/** What the encoder computes; a tensor that nobody asks for costs nothing. */
export interface Pix2StructVisionOutput {
  /** Input of the first block, then the output of each block: numHiddenLayers + 1 of [batch, tokens, width]. */
  readonly hiddenStates: readonly Tensor[];
  /** The final norm of the last block's output, [batch, tokens, width]. At padding, too, there are values. */
  readonly lastHiddenState: Tensor;
}

/** Patches as tokens, with learned rows and columns. */
class Pix2StructEmbeddings extends Module {
  readonly patch_projection: Linear;
  readonly row_embedder: Embedding;
  readonly column_embedder: Embedding;

  constructor(config: Pix2StructVisionConfig) {
    super();
    const { hiddenSize, patchEmbedHiddenSize, sequenceLength, initializerRange, initializerFactor } = config;
    this.patch_projection = new Linear(patchEmbedHiddenSize, hiddenSize, {
      initializer:
        initializerRange === 0 ? initializers.zeros : initializers.truncatedNormal({ std: initializerRange }),
    });
    const initializer = initializers.normal(0, initializerFactor * hiddenSize ** -0.5);
    this.row_embedder = new Embedding(sequenceLength, hiddenSize, { initializer });
    this.column_embedder = new Embedding(sequenceLength, hiddenSize, { initializer });
  }

  /** patches [batch, tokens, 2 + patch] → [batch, tokens, width] */
  forward(patches: Tensor): Tensor {
    const rows = cast(select(patches, -1, 0), 'int32');
    const columns = cast(select(patches, -1, 1), 'int32');
    const projected = this.patch_projection.forward(sliceAxis(patches, -1, 2));
    return add(add(projected, this.row_embedder.forward(rows)), this.column_embedder.forward(columns));
  }
}

class Pix2StructEncoder extends Module {
  readonly layer: readonly Pix2StructLayer[];

  constructor(config: Pix2StructVisionConfig) {
    super();
    this.layer = Array.from({ length: config.numHiddenLayers }, () => new Pix2StructLayer(config));
  }
}

/**
 * The image encoder of Pix2Struct (Lee et al. 2023, "Pix2Struct: Screenshot Parsing as Pretraining for Visual Language
 * Understanding"), which takes images of any aspect ratio as flattened patches: per patch its row, its column (both
 * from 1) and its pixels row by row, channels innermost, as `flattenPatches` of `@ocelli/data` makes them. Parameters
 * are named as in Hugging Face's `Pix2StructVisionModel`, and start as there.
 */
export class Pix2StructVisionEncoder extends Module implements VisionEncoder {
  readonly config: Pix2StructVisionConfig;
  readonly width: number;
  /** It takes patches, whatever the size of the images that they were cut from. */
  readonly imageSize = undefined;
  readonly embeddings: Pix2StructEmbeddings;
  readonly encoder: Pix2StructEncoder;
  readonly layernorm: Pix2StructNorm;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: Pix2StructVisionConfigInput = {}) {
    super();
    this.config = parsePix2StructVisionConfig(config);
    this.width = this.config.hiddenSize;
    this.embeddings = new Pix2StructEmbeddings(this.config);
    this.encoder = new Pix2StructEncoder(this.config);
    this.layernorm = new Pix2StructNorm(this.config);
  }

  /**
   * patches [batch, tokens, 2 + patchEmbedHiddenSize] → all hidden states, and the final norm of the last one.
   *
   * @throws ShapeError if the patches or the mask do not have these shapes
   */
  forward(patches: Tensor, options: Pix2StructForwardOptions = {}): Pix2StructVisionOutput {
    const hiddenStates = this.states(patches, this.encoder.layer.length, options);
    return { hiddenStates, lastHiddenState: this.layernorm.forward(hiddenStates.at(-1)!) };
  }

  /**
   * Tokens for a projector, padding among them. patches [batch, tokens, 2 + patchEmbedHiddenSize] → [batch, tokens,
   * width].
   *
   * @throws ConfigError if there is no such layer
   * @throws ShapeError as {@link forward}
   */
  features(patches: Tensor, { layer, ...options }: Pix2StructFeatureOptions = {}): Tensor {
    if (layer === undefined) return this.forward(patches, options).lastHiddenState;
    const blocks = blocksOfHiddenState('Pix2StructVisionEncoder.features', layer, this.encoder.layer.length);
    return this.states(patches, blocks, options).at(-1)!;
  }

  /** Rows and columns of the patches of an image of this size in pixels. Default: a square, of any size. */
  featureGrid(height: number = this.config.patchSize, width: number = height): [rows: number, columns: number] {
    return variablePatchGrid(height, width, this.config);
  }

  private states(patches: Tensor, blocks: number, { attentionMask }: Pix2StructForwardOptions): Tensor[] {
    const [batch, tokens, numbers] = patches.shape;
    const expected = 2 + this.config.patchEmbedHiddenSize;
    const maskFits = !attentionMask || attentionMask.shape.join() === [batch, tokens].join();
    if (patches.shape.length !== 3 || numbers !== expected || !maskFits) {
      throw new ShapeError({
        operation: 'Pix2StructVisionEncoder',
        expected: `patches [batch, tokens, ${expected}] and a mask [batch, tokens], if any`,
        received: [patches.shape, ...(attentionMask ? [attentionMask.shape] : [])],
        remedy: 'Flatten the images into patches with their rows and columns.',
      });
    }
    const mask = attentionMask === null ? undefined : keyMask(attentionMask ?? sum(patches, { axes: -1 }));
    let state = this.embeddings.forward(patches);
    const states = [state];
    for (const layer of this.encoder.layer.slice(0, blocks)) {
      state = layer.forward(state, mask);
      states.push(state);
    }
    return states;
  }
}

/** x [batch, tokens] → bool [batch, 1, 1, tokens], true where x is not zero. */
function keyMask(x: Tensor): Tensor {
  const [batch, tokens] = x.shape as [number, number];
  return reshape(notEqual(x, 0), [batch, 1, 1, tokens]);
}
