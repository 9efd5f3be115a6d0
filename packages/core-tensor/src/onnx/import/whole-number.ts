/** A 64-bit integer as protobuf's reader gives it. */
export type Integer64 = number | { readonly low: number; readonly high: number; readonly unsigned?: boolean };

/**
 * A 64-bit integer as a number. What a number cannot hold exactly becomes the nearest that it can: such values stand for
 * "to the end".
 */
export function wholeNumber(value: Integer64): number {
  const number =
    typeof value === 'number'
      ? value
      : (value.unsigned === true ? value.high >>> 0 : value.high) * 2 ** 32 + (value.low >>> 0);
  return saturated(number);
}

/** The nearest number that is exact. */
export function saturated(number: number): number {
  return Math.min(Math.max(number, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}
