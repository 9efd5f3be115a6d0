import { EngineError } from '../errors.js';

/**
 * Checks that indices lie within an axis.
 *
 * @param operation engine and primitive, for the message.
 * @param size of the axis.
 * @throws EngineError with the first that does not.
 */
export function requireIndexRange(operation: string, indices: ArrayLike<number>, size: number): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index < 0 || index >= size) {
      throw new EngineError({ operation, expected: `indices between 0 and ${size - 1}`, received: String(index) });
    }
  }
}

/**
 * Checks that a slice lies within an axis.
 *
 * @param operation engine and primitive, for the message.
 * @throws EngineError if it does not.
 */
export function requireSliceRange(operation: string, start: number, count: number, size: number): void {
  if (start >= 0 && start + count <= size) return;
  throw new EngineError({
    operation,
    expected: `a start between 0 and ${size - count}, for ${count} of ${size} places`,
    received: String(start),
  });
}

/**
 * Quotient of two integers, rounded toward zero.
 *
 * @param operation engine and primitive, for the message.
 * @throws EngineError for a divisor of 0.
 */
export function integerQuotient(operation: string, dividend: number, divisor: number): number {
  if (divisor === 0) {
    throw new EngineError({ operation, expected: 'integer divisors other than 0', received: '0' });
  }
  return Math.trunc(dividend / divisor);
}
