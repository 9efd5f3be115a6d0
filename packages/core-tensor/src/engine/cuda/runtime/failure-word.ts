import { EngineError } from '../../../errors.js';
import { integerQuotient, requireIndexRange, requireSliceRange } from '../../integer-checks.js';
import { failureCodes } from '../codegen/failure.js';

/** Bytes of what a kernel writes where an index is out of range; see {@link failureCodes}. */
export const failureBytes = 16;

/** The error that the card's failure word stands for, in the words of the other engines; undefined for none. */
export function failureOf(words: Int32Array): EngineError | undefined {
  const [code = 0, value = 0, size = 0, count = 0] = words;
  if (code === 0) return undefined;
  const operation = 'cuda engine: run';
  try {
    if (code === failureCodes.index) requireIndexRange(operation, [value], size);
    if (code === failureCodes.slice) requireSliceRange(operation, value, count, size);
    if (code === failureCodes.division) integerQuotient(operation, 1, 0);
  } catch (error) {
    return error as EngineError;
  }
  return new EngineError({
    operation,
    expected: 'indices in range and integer divisors other than 0',
    received: `failure ${code} (${value}, ${size}, ${count})`,
  });
}
