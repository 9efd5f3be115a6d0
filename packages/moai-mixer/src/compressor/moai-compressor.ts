import {
  add,
  broadcastTo,
  concat,
  initializers,
  LayerNorm,
  Module,
  notEqual,
  ones,
  Parameter,
  reshape,
  ShapeError,
  type Tensor,
  tensor,
} from '@ocelli/core-tensor';
import { type MoaiCompressorConfig, type MoaiCompressorConfigInput, parseMoaiCompressorConfig } from './config.js';
import { PerceiverLayer } from './perceiver-layer.js';

/** Options of {@link MoaiCompressor.forward}. */
export interface CompressOptions {
  /**
   * [batch, tokens], 0 (or false) where padded. The published model has none: in a batch, embeddings of padding are
   * compressed along with the rest. Default: none.
   */
  readonly mask?: Tensor | undefined;
}

/**
 * MoAI-Compressor: learned tokens that read any number of auxiliary tokens, a Perceiver resampler (Lee et al. 2024,
 * "MoAI: Mixture of All Intelligence for Large Language and Vision Models"; `moai/arch/expert_module.py`). Per layer
 * z ← z + W·attend(LN(z), [LN(x); LN(z)]), z ← z + FFN(LN(z)); then LN(z).
 *
 * Without positions and masks it is invariant to the order of what it reads. Parameters are named as in the published
 * checkpoint below `moai_compressor`.
 */
export class MoaiCompressor extends Module {
  readonly config: MoaiCompressorConfig;
  /** [numLatents, hiddenSize] */
  readonly latents: Parameter;
  readonly layers: readonly PerceiverLayer[];
  readonly norm: LayerNorm;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: MoaiCompressorConfigInput = {}) {
    super();
    this.config = parseMoaiCompressorConfig(config);
    const { hiddenSize, depth, numLatents } = this.config;
    this.latents = new Parameter([numLatents, hiddenSize], { initializer: initializers.normal() });
    this.layers = Array.from({ length: depth }, () => new PerceiverLayer(this.config));
    this.norm = new LayerNorm(hiddenSize);
  }

  /**
   * x [batch, tokens, hiddenSize] or, with several media, [batch, media, tokens, hiddenSize] → the same with
   * `numLatents` tokens.
   *
   * @throws ShapeError if x or the mask have other axes
   */
  forward(x: Tensor, { mask }: CompressOptions = {}): Tensor {
    const { hiddenSize, numLatents, positions } = this.config;
    const outer = x.shape.slice(0, -2);
    const [tokens = 0, width] = x.shape.slice(-2);
    if ((outer.length !== 1 && outer.length !== 2) || width !== hiddenSize) {
      throw new ShapeError({
        operation: 'MoaiCompressor.forward',
        expected: `x [batch, tokens, ${hiddenSize}] or [batch, media, tokens, ${hiddenSize}]`,
        received: [x.shape],
      });
    }
    const rows = outer.reduce((product, each) => product * each, 1);
    const given = reshape(x, [rows, tokens, hiddenSize]);
    const media = positions === 'none' ? given : add(given, sinusoids(tokens, hiddenSize));
    const visible = mask && this.visible(mask, rows, tokens);
    let latents = broadcastTo(this.latents, [rows, numLatents, hiddenSize]);
    for (const layer of this.layers) latents = layer.forward(media, latents, visible);
    return reshape(this.norm.forward(latents), [...outer, numLatents, hiddenSize]);
  }

  /** bool [batch, 1, 1, tokens + numLatents]: latents always see themselves. */
  private visible(mask: Tensor, rows: number, tokens: number): Tensor {
    if (mask.size !== rows * tokens) {
      throw new ShapeError({
        operation: 'MoaiCompressor.forward',
        expected: `a mask of ${rows} × ${tokens} tokens`,
        received: [mask.shape],
      });
    }
    const present = reshape(mask.dtype === 'bool' ? mask : notEqual(mask, 0), [rows, tokens]);
    const all = concat([present, ones([rows, this.config.numLatents], 'bool')], 1);
    return reshape(all, [rows, 1, 1, tokens + this.config.numLatents]);
  }
}

const tables = new Map<string, Float32Array>();

/** sin and cos of position / 10000^(2i / width) (Vaswani et al. 2017): [tokens, width]. */
function sinusoids(tokens: number, width: number): Tensor {
  const key = `${tokens}x${width}`;
  let table = tables.get(key);
  if (!table) {
    table = Float32Array.from({ length: tokens * width }, (_, index) => {
      const [position, channel] = [Math.floor(index / width), index % width];
      const angle = position / 10000 ** ((2 * Math.floor(channel / 2)) / width);
      return channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    });
    tables.clear();
    tables.set(key, table);
  }
  return tensor(table, [tokens, width]);
}
