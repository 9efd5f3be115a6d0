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
