import type { ParityResult } from '@ocelli/core-tensor';
import { worstOf } from '@ocelli/core-tensor';

/** Allowed relative difference of a number that was computed in float64. */
const float64 = 1e-9;
/** Allowed relative difference of a number that was computed in float32. */
export const float32 = 1e-6;

/** Non-finite numbers, which JSON does not have. */
const named: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

/**
 * Compares plain values: texts, integers and booleans exactly, other numbers up to a relative difference. A key that is
 * not expected is not compared.
 */
export function compareValues(actual: unknown, expected: unknown, path: string, tolerance = float64): ParityResult {
  if (isRecord(expected) && typeof expected.nonfinite === 'string') {
    return compareLeaves(actual, named[expected.nonfinite], path, tolerance);
  }
  if (Array.isArray(expected) && Array.isArray(actual) && actual.length === expected.length) {
    return worstOf(expected.map((each, index) => compareValues(actual[index], each, `${path}[${index}]`, tolerance)));
  }
  if (isRecord(expected) && isRecord(actual)) {
    return worstOf(
      Object.keys(expected).map((key) => compareValues(actual[key], expected[key], `${path}.${key}`, tolerance)),
    );
  }
  return compareLeaves(actual, expected, path, tolerance);
}

function compareLeaves(actual: unknown, expected: unknown, path: string, tolerance: number): ParityResult {
  const differ = { forward: 0, gradient: 0, mismatches: [`${path}: ${show(actual)} instead of ${show(expected)}`] };
  if (typeof actual !== 'number' || typeof expected !== 'number') {
    return Object.is(actual, expected) ? { ...differ, mismatches: [] } : differ;
  }
  if (Object.is(actual, expected) || actual === expected) return { ...differ, mismatches: [] };
  const error = Math.abs(actual - expected) / Math.max(Math.abs(expected), tolerance);
  return error <= tolerance ? { forward: error, gradient: 0, mismatches: [] } : differ;
}

function show(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
