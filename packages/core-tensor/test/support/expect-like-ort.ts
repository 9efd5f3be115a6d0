import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import { compile, type DType, importOnnx, type Tensor } from '../../src/index.js';
import { expectClose } from './close.js';

/** Results of ONNX Runtime itself. */
export async function runOrt(
  bytes: Uint8Array | string,
  inputs: Readonly<Record<string, Tensor>>,
): Promise<Record<string, ort.Tensor>> {
  const session = await ort.InferenceSession.create(bytes as Uint8Array, { logSeverityLevel: 3 });
  const feeds: Record<string, ort.Tensor> = {};
  for (const [name, each] of Object.entries(inputs)) {
    feeds[name] = new ort.Tensor(each.dtype as 'float32', (await each.data()) as Float32Array, each.shape);
  }
  const results = await session.run(feeds);
  await session.release();
  return results as Record<string, ort.Tensor>;
}

export interface CompareOptions {
  /** Largest difference, as a share of the largest expected value. Default: 1e-5. */
  readonly relative?: number;
}

/** Expects a model to give what ONNX Runtime makes of the same bytes: shapes, types and values of all results. */
export async function expectLikeOrt(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, Tensor>>,
  { relative = 1e-5 }: CompareOptions = {},
): Promise<void> {
  const expected = await runOrt(bytes, inputs);
  const model = importOnnx(bytes);
  const actual = await compile((given: typeof inputs) => model.forward(given))(inputs);
  expect(Object.keys(actual)).toEqual(model.outputs);
  for (const [name, { type, dims, data }] of Object.entries(expected)) {
    const dtype = (type === 'int8' ? 'int32' : type) as DType;
    const result = actual[name]!;
    const values = type === 'int8' ? Int32Array.from(data as Int8Array) : (data as Float32Array);
    const read = { shape: result.shape, dtype: result.dtype, data: await result.data() };
    expectClose(read, { shape: dims, dtype, data: values }, { relative, what: name });
  }
}
