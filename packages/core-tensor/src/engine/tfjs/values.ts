import { type AnyTypedArray, convert, type DType } from '../../dtype.js';
import { EngineError } from '../../errors.js';
import type { Shape } from '../../graph/shape.js';
import { heldAs, type Tfjs, type TfjsTensor } from './lowering.js';

/**
 * Host values as a tensor of the dtype that holds them.
 *
 * @throws EngineError for int64 values that do not fit 32 bits.
 */
export function fromHost(tf: Tfjs, data: AnyTypedArray, shape: Shape, dtype: DType): TfjsTensor {
  // The cpu backend keeps the array it is given.
  const own = dtype === 'int64' ? narrowed(data as BigInt64Array) : held(data, dtype);
  return tf.tensor(own, [...shape], heldAs(dtype));
}

function held(data: AnyTypedArray, dtype: DType): Float32Array | Int32Array | Uint8Array {
  if (dtype === 'float16' || dtype === 'bfloat16') return convert(data as Uint16Array, dtype, 'float32');
  if (dtype === 'uint8') return Int32Array.from(data as Uint8Array);
  return (data as Float32Array | Int32Array | Uint8Array).slice();
}

function narrowed(data: BigInt64Array): Int32Array {
  return Int32Array.from(data, (value) => {
    if (BigInt.asIntN(32, value) !== value) {
      throw new EngineError({
        operation: 'tfjs engine: upload',
        expected: 'int64 values that fit 32 bits, the widest integers of TensorFlow.js',
        received: String(value),
        remedy: 'Compute with larger integers on the ort engine.',
      });
    }
    return Number(value);
  });
}

/** A copy of a tensor's values in the array of their dtype. */
export function toHost(tensor: TfjsTensor, dtype: DType): AnyTypedArray {
  const values = tensor.dataSync() as Float32Array | Int32Array | Uint8Array;
  switch (dtype) {
    case 'float16':
    case 'bfloat16':
      return convert(values as Float32Array, 'float32', dtype);
    case 'int64':
    case 'uint8':
      return convert(values as Int32Array, 'int32', dtype);
    default:
      return values.slice();
  }
}
