import type { DType } from '../../../dtype.js';
import { cTypes } from './c-types.js';
import { loadEight } from './eights.js';
import { float, integer, launch, type Parameter, reads, warpSum, writes } from './launch-text.js';
import { type Lowered, nothing } from './lowered.js';

/** Linear layers of the same few rows, in one launch: what lies between two attentions when a decoder makes one token. */
export interface VectorLayers {
  /** At most {@link mostVectorRows}. */
  readonly rows: number;
  /** A multiple of 8. */
  readonly width: number;
  /** Of x [rows, width]. */
  readonly dtype: DType;
  /** An RMS norm of x in front of all layers. */
  readonly norm?: { readonly weight: DType; readonly epsilon: number } | undefined;
  readonly layers: readonly VectorLayer[];
}

/** x · weightᵀ + bias + residual; gated: silu(x · weightᵀ + bias) ∘ (x · secondᵀ + second bias) + residual. */
export interface VectorLayer {
  readonly outputs: number;
  /** Of weight [outputs, width], and of the second. */
  readonly weight: DType;
  readonly bias?: DType | undefined;
  readonly gated?: boolean;
  /** Of what is added in the end, [rows, outputs]. */
  readonly residual?: DType | undefined;
  /** Of the result [rows, outputs]. */
  readonly out: DType;
}

/** Rows that a thread keeps beside each other. */
export const mostVectorRows = 8;

const warps = 4;

/**
 * A warp per output reads its row of the weight, 16 bytes a thread at a time. The norm needs no pass of its own: its factor is
 * the same for all terms of a sum, so the squares are added up beside the products. Every weight is read once, at the speed of
 * memory.
 *
 * Inputs: x, the norm's weight, then for each layer weight, second weight, bias, second bias, residual; those there are.
 * Results: `out`, `out1`, … by layer.
 */
export function vectorLayers(problem: VectorLayers): Lowered {
  const { rows, dtype, norm, layers } = problem;
  if (rows === 0 || layers.length === 0) return nothing;
  const parameters: Parameter[] = [reads(0, cTypes[dtype], 'x')];
  const results: Parameter[] = [];
  const input = (held: DType | undefined, name: string) => {
    if (held) parameters.push(reads(parameters.length, cTypes[held], name));
  };
  input(norm?.weight, 'norm');
  let begin = 0;
  const texts = layers.map((layer, index) => {
    const { weight, bias, gated, residual, out, outputs } = layer;
    input(weight, `weight${index}`);
    if (gated) input(weight, `second${index}`);
    input(bias, `bias${index}`);
    if (gated) input(bias, `second_bias${index}`);
    input(residual, `residual${index}`);
    results.push(writes(index === 0 ? 'out' : `out${index}`, cTypes[out], `out${index}`));
    const first = begin;
    begin += Math.ceil(outputs / warps);
    return `${index === layers.length - 1 ? '' : `if (blockIdx.x < ${begin}) `}{
${layerText(problem, layer, index, first)}
  return;
}`;
  });
  const body = `const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;\n${texts.join('\n')}`;
  return {
    launches: [
      launch({
        name: 'vector_layers',
        helpers: [warpSum, loadEight],
        parameters: [...parameters, ...results],
        body,
        blocks: begin,
        threads: warps * 32,
      }),
    ],
    temporaries: [],
  };
}

function layerText({ rows, width, norm }: VectorLayers, layer: VectorLayer, index: number, first: number): string {
  const { outputs, bias, gated, residual, out } = layer;
  const factors = ['weight', ...(gated ? ['second'] : [])];
  const each = (text: (name: string) => string) => factors.map(text).join('\n');
  const value = (name: string, biasName: string) =>
    `sum_of_warp(${name}_sums[row])${norm ? ' * scale' : ''}${bias ? ` + to_float(${biasName}${index}[column])` : ''}`;
  return `
  const int column = ((int)blockIdx.x - ${first}) * ${warps} + warp;
  if (column >= ${outputs}) return;
  ${each((name) => `float ${name}_sums[${rows}] = {};`)}
  ${norm ? `float squares[${rows}] = {};` : ''}
  #pragma unroll 4
  for (int depth = lane * 8; depth < ${width}; depth += 256) {
    ${each(
      (name) =>
        `float ${name}_factors[8]; load_eight(${name}_factors, ${name}${index} + (int64)column * ${integer(width)} + depth);`,
    )}
    ${norm ? 'float weights[8]; load_eight(weights, norm + depth);' : ''}
    #pragma unroll
    for (int row = 0; row < ${rows}; row++) {
      float values[8];
      load_eight(values, x + row * ${width} + depth);
      #pragma unroll
      for (int j = 0; j < 8; j++) {
        ${norm ? 'squares[row] += values[j] * values[j]; values[j] *= weights[j];' : ''}
        ${each((name) => `${name}_sums[row] += values[j] * ${name}_factors[j];`)}
      }
    }
  }
  #pragma unroll
  for (int row = 0; row < ${rows}; row++) {
    ${norm ? `const float scale = rsqrtf(sum_of_warp(squares[row]) * ${float(1 / width)} + ${float(norm.epsilon)});` : ''}
    float value = ${value('weight', 'bias')};
    ${gated ? `value = value / (1.0f + expf(-value)) * (${value('second', 'second_bias')});` : ''}
    const int64 at = (int64)row * ${outputs} + column;
    ${residual ? `value += to_float(residual${index}[at]);` : ''}
    if (lane == 0) out${index}[at] = from_float<${cTypes[out]}>(value);
  }`;
}
