import { DTypeError } from '../errors.js';
import { sizeOf } from '../graph/shape.js';
import { mul } from '../ops/arithmetic.js';
import { barrier } from '../ops/gradient-control.js';
import { matmul } from '../ops/matmul.js';
import { decodeBnb4, decodeNBits } from '../ops/quantized.js';
import { pad, reshape } from '../ops/rearrange.js';
import { sum } from '../ops/reduce.js';
import { ones, type Tensor } from '../tensor.js';
import type { PrimitiveAttributes } from './attributes.js';
import { type AbstractTensor, type Primitive, requireShapes } from './primitive.js';

export const quantizedPrimitives = {
  /**
   * Inputs x [..., k], packed [n, blocks, bytes], scales [n, blocks] and perhaps zero points [n, ⌈blocks · bits / 8⌉], a
   * weight [n, k] in the layout of `NBitsMatrix`: x · weightᵀ [..., n].
   */
  matmulNBits: {
    infer: (inputs, { bits, blockSize }) => {
      const [x, packed, scales, zeroPoints] = inputs;
      requireTypes('matmulNBits', [x!, scales!], zeroPoints ? [packed!, zeroPoints] : [packed!]);
      const width = x!.shape.at(-1);
      const [rows] = packed!.shape;
      const blocks = Math.ceil((width ?? 0) / blockSize);
      const holds = (each: AbstractTensor, ...shape: number[]) => each.shape.join() === shape.join();
      requireShapes(
        width !== undefined &&
          holds(packed!, rows!, blocks, (blockSize * bits) / 8) &&
          holds(scales!, rows!, blocks) &&
          (!zeroPoints || holds(zeroPoints, rows!, Math.ceil((blocks * bits) / 8))),
        'matmulNBits',
        `x [..., k], packed [n, ⌈k / ${blockSize}⌉, ${(blockSize * bits) / 8}], scales [n, ⌈k / ${blockSize}⌉] and zero points [n, ⌈blocks · ${bits} / 8⌉]`,
        inputs,
        "Check the layer's width and the block size.",
      );
      return { shape: [...x!.shape.slice(0, -1), rows!], dtype: 'float32' };
    },
    gradient: ({ inputs, cotangent, attributes, needs }) => {
      const [x, packed, scales, zeroPoints] = inputs;
      const columns = x!.shape.at(-1)!;
      // Not before the cotangent is there: a float weight at a time, instead of all of them at once.
      const codes = barrier(packed!, cotangent);
      const weight = (by: Tensor) => decodeNBits(codes, by, zeroPoints, { ...attributes, columns });
      const dScales = () => {
        const terms = mul(weightGradient(x!, cotangent), weight(ones(scales!.shape))); // [n, k]
        const [rows, blocks] = scales!.shape as [number, number];
        const filled = pad(terms, { before: [0, 0], after: [0, blocks * attributes.blockSize - columns] });
        return sum(reshape(filled, [rows, blocks, attributes.blockSize]), { axes: 2 });
      };
      return [
        needs(0) ? inputGradient(x!, cotangent, weight(scales!)) : undefined,
        undefined,
        needs(2) ? dScales() : undefined,
        undefined,
      ];
    },
  } satisfies Primitive<PrimitiveAttributes['matmulNBits']>,

  /**
   * Inputs x [..., k], packed [⌈n · k / 2⌉] and absmax [⌈n · k / blockSize⌉], a weight [n, k] in the layout of
   * `Bnb4Array`: x · weightᵀ [..., n].
   */
  matmulBnb4: {
    infer: (inputs, { outputs, blockSize }) => {
      const [x, packed, absmax] = inputs;
      requireTypes('matmulBnb4', [x!, absmax!], [packed!]);
      const width = x!.shape.at(-1);
      const count = outputs * (width ?? 0);
      requireShapes(
        width !== undefined &&
          packed!.shape.length === 1 &&
          packed!.shape[0] === Math.ceil(count / 2) &&
          absmax!.shape.length === 1 &&
          absmax!.shape[0] === Math.ceil(count / blockSize),
        'matmulBnb4',
        `x [..., k], packed [⌈${outputs} · k / 2⌉] and absmax [⌈${outputs} · k / ${blockSize}⌉]`,
        inputs,
        "Check the layer's width and the block size.",
      );
      return { shape: [...x!.shape.slice(0, -1), outputs], dtype: 'float32' };
    },
    gradient: ({ inputs, cotangent, attributes, needs }) => {
      const [x, packed, absmax] = inputs;
      const shape = [attributes.outputs, x!.shape.at(-1)!] as const;
      const codes = barrier(packed!, cotangent);
      const weight = (by: Tensor) => decodeBnb4(codes, by, { ...attributes, shape });
      const dAbsmax = () => {
        const terms = reshape(mul(weightGradient(x!, cotangent), weight(ones(absmax!.shape))), [-1]); // [n · k]
        const [blocks] = absmax!.shape as [number];
        const filled = pad(terms, { before: [0], after: [blocks * attributes.blockSize - terms.size] });
        return sum(reshape(filled, [blocks, attributes.blockSize]), { axes: 1 });
      };
      return [
        needs(0) ? inputGradient(x!, cotangent, weight(absmax!)) : undefined,
        undefined,
        needs(2) ? dAbsmax() : undefined,
      ];
    },
  } satisfies Primitive<PrimitiveAttributes['matmulBnb4']>,
};

/** dy·weight, of the shape of x [..., k]. */
function inputGradient(x: Tensor, dy: Tensor, weight: Tensor): Tensor {
  return reshape(matmul(asRows(dy), weight), x.shape);
}

/** dyᵀ·x [n, k] */
function weightGradient(x: Tensor, dy: Tensor): Tensor {
  return matmul(asRows(dy), asRows(x), { transposeA: true });
}

/** x [..., width] → [rows, width] */
function asRows(x: Tensor): Tensor {
  return reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
}

function requireTypes(operation: string, floats: readonly AbstractTensor[], bytes: readonly AbstractTensor[]): void {
  const misfit = floats.find(({ dtype }) => dtype !== 'float32') ?? bytes.find(({ dtype }) => dtype !== 'uint8');
  if (!misfit) return;
  throw new DTypeError({
    operation,
    expected: 'x and scales of float32, codes and zero points of uint8',
    received: misfit.dtype,
    remedy: "Convert x with cast(x, 'float32').",
  });
}
