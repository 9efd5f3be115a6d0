import { byteSize, convert, type TypedArrayOf } from '../dtype.js';
import { sizeOf } from '../graph/shape.js';
import type { Linear } from '../nn/layers.js';
import type { Module } from '../nn/module.js';
import { Parameter } from '../nn/parameter.js';
import type { AccuracyLevel } from '../ops/quantized.js';
import { parseQuantizationConfig, type QuantizationConfig, type QuantizationConfigInput } from './config.js';
import { quantizeValues } from './formats.js';
import { type LayerSelection, linearLayers, quantizedLayers, selectLayers } from './layers.js';
import { type SquaredError, squaredError } from './measure-error.js';
import type { MatrixShape } from './nbits.js';
import { QuantizationError } from './quantization-error.js';
import { QuantizedWeight } from './quantized-weight.js';

/** Format and layers of {@link quantizeModule} and {@link prepareQuantized}. */
export type QuantizeOptions = QuantizationConfigInput &
  LayerSelection & {
    /** How exact the products are, see `matmulNBits`. Default: 1, exact. */
    readonly accuracyLevel?: AccuracyLevel | undefined;
  };

/** What became of a layer. */
export interface QuantizedLayerReport {
  readonly path: string;
  /** [outputs, inputs] */
  readonly shape: MatrixShape;
  /** √(Σ(w − ŵ)² / Σw²): difference of the weight before and after, relative to the weight. */
  readonly relativeError: number;
  /** Of the weight; 0 if another layer keeps it. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** What became of a module. */
export interface QuantizationReport {
  readonly config: QuantizationConfig;
  readonly layers: readonly QuantizedLayerReport[];
  /** Of all these weights together. */
  readonly relativeError: number;
  /** Of these weights. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/**
 * Replaces the weights of a module's linear layers by quantized ones, in place and one after another: beside the module
 * there is never more in memory than one layer's floats. Embeddings, norms, convolutions, biases and the output head
 * keep their floats. Layers that are quantized already are converted.
 *
 * The weights that are there are quantized; first values are drawn for it. To load a checkpoint straight into few bits,
 * use {@link prepareQuantized} and load then.
 *
 * @param options.onLayer called after each layer.
 * @throws ConfigError for invalid options or a pattern that matches no linear layer, QuantizationError for weights that
 *   are not finite; layers before that one are quantized then.
 *
 * @example
 * ```ts
 * const { relativeError, bytesAfter } = await quantizeModule(model, { bits: 4, blockSize: 32 });
 * ```
 */
export async function quantizeModule(
  module: Module,
  options: QuantizeOptions & { readonly onLayer?: (report: QuantizedLayerReport) => void } = {},
): Promise<QuantizationReport> {
  const { onLayer, include, exclude, head, accuracyLevel = 1, ...format } = options;
  const config = parseQuantizationConfig(format as QuantizationConfigInput);
  const layers: QuantizedLayerReport[] = [];
  const total: SquaredError = { difference: 0, values: 0 };
  for (const { path, layer, isShared } of selectLayers('quantizeModule', module, { include, exclude, head })) {
    const { weight } = layer;
    const shape = shapeOf(layer);
    const bytesBefore = isShared ? 0 : bytesOf(weight);
    const values = await floatsOf(weight);
    const parts = naming(path, () => quantizeValues(values, shape, config));
    const error = squaredError(values, parts, shape, config);
    const quantized = new QuantizedWeight(shape, config, { accuracyLevel });
    quantized.setParts(parts);
    layer.setWeight(quantized);
    if (!isShared) releaseParts(weight);
    total.difference += error.difference;
    total.values += error.values;
    const report = {
      path,
      shape,
      relativeError: relative(error),
      bytesBefore,
      bytesAfter: quantized.byteLength,
    };
    layers.push(report);
    onLayer?.(report);
  }
  const sum = (field: 'bytesBefore' | 'bytesAfter') => layers.reduce((bytes, layer) => bytes + layer[field], 0);
  return {
    config,
    layers,
    relativeError: relative(total),
    bytesBefore: sum('bytesBefore'),
    bytesAfter: sum('bytesAfter'),
  };
}

/**
 * Gives the linear layers of a module quantized weights without values, for a checkpoint of floats to fill: each tensor
 * is quantized as it is read, so that the floats of a whole model are never there. A head that shares its weight with
 * the token table is left alone; once the table is loaded, `quantizeModule(module, { head: true, include: ['lm_head'] })`
 * gives it its copy.
 *
 * @returns paths of these layers
 * @throws ConfigError as {@link quantizeModule}
 *
 * @example
 * ```ts
 * prepareQuantized(model, { format: 'nf4' });
 * await loadWeights(model, folder);
 * ```
 */
export function prepareQuantized(module: Module, options: QuantizeOptions = {}): string[] {
  const { include, exclude, head, accuracyLevel = 1, ...format } = options;
  const config = parseQuantizationConfig(format as QuantizationConfigInput);
  const layers = selectLayers('prepareQuantized', module, { include, exclude, head }).filter(
    ({ isShared }) => !isShared,
  );
  for (const { layer } of layers) {
    const { weight } = layer;
    layer.setWeight(new QuantizedWeight(shapeOf(layer), config, { accuracyLevel }));
    releaseParts(weight);
  }
  return layers.map(({ path }) => path);
}

/** Turns quantized weights back into floats, which train again if they are unfrozen. */
export async function dequantizeModule(module: Module, selection: Omit<LayerSelection, 'head'> = {}): Promise<void> {
  for (const { layer } of selectLayers('dequantizeModule', module, { ...selection, head: true })) {
    const { weight } = layer;
    if (weight instanceof Parameter) continue;
    const floats = new Parameter(weight.shape);
    floats.requiresGrad = false;
    floats.set(await weight.toFloat(), { own: true });
    layer.setWeight(floats);
    releaseParts(weight);
  }
}

/** Changes how exact the products with all quantized weights of a module are, see `matmulNBits`. */
export function setAccuracyLevel(module: Module, level: AccuracyLevel): void {
  for (const { weight } of quantizedLayers(module)) weight.setAccuracyLevel(level);
}

/** Formats of a module's quantized weights, by the paths of their layers. Plain data. */
export function quantizationOf(module: Module): Readonly<Record<string, QuantizationConfig>> {
  return Object.fromEntries(
    linearLayers(module).flatMap(({ path, layer: { weight } }) =>
      weight instanceof QuantizedWeight ? [[path, weight.config]] : [],
    ),
  );
}

/** Says which layer it was, where its values cannot be quantized. */
function naming<Result>(path: string, quantize: () => Result): Result {
  try {
    return quantize();
  } catch (cause) {
    if (!(cause instanceof QuantizationError)) throw cause;
    const { expected, received, remedy } = cause;
    throw new QuantizationError({
      operation: 'quantizeModule',
      expected,
      received: `${received} of the weight of ${path}`,
      remedy,
      cause,
    });
  }
}

function shapeOf({ weight }: Linear): MatrixShape {
  return weight.shape as MatrixShape;
}

function bytesOf(weight: Linear['weight']): number {
  return weight instanceof QuantizedWeight ? weight.byteLength : sizeOf(weight.shape) * byteSize(weight.dtype);
}

async function floatsOf(weight: Linear['weight']): Promise<Float32Array> {
  if (weight instanceof QuantizedWeight) return weight.toFloat();
  return convert((await weight.peek()) as TypedArrayOf<'float16'>, weight.dtype as 'float16', 'float32');
}

function releaseParts(weight: Linear['weight']): void {
  const parameters = weight instanceof Parameter ? [weight] : Object.values(weight.namedParameters());
  for (const parameter of parameters) parameter.release();
}

function relative({ difference, values }: SquaredError): number {
  return values === 0 ? 0 : Math.sqrt(difference / values);
}
