import { OcelliError } from '../errors.js';

/** Values that no few-bit format can hold. */
export class QuantizationError extends OcelliError {
  override readonly name: string = 'QuantizationError';
}

/** @internal Fails with the first value that is not finite. */
export function requireFinite(operation: string, values: Float32Array): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return;
  throw new QuantizationError({
    operation,
    expected: 'finite values',
    received: `${values[index]} as element ${index}`,
    remedy: 'Check where the weights come from.',
  });
}
