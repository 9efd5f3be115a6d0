/** What JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The first place at which two JSON values differ, with both values there. */
export interface JsonDifference {
  /** Keys joined by dots, such as `stages.0.learningRate`. */
  readonly key: string;
  readonly first: JsonValue | undefined;
  readonly second: JsonValue | undefined;
}

/** Compares two JSON values regardless of the order of keys. */
export function firstDifference(
  first: JsonValue | undefined,
  second: JsonValue | undefined,
  key = '',
): JsonDifference | undefined {
  if (Object.is(first, second)) return undefined;
  if (!isContainer(first) || !isContainer(second) || Array.isArray(first) !== Array.isArray(second))
    return { key, first, second };
  const [a, b] = [first, second] as readonly Readonly<Record<string, JsonValue>>[];
  for (const name of new Set([...Object.keys(a!), ...Object.keys(b!)])) {
    const difference = firstDifference(a![name], b![name], key === '' ? name : `${key}.${name}`);
    if (difference) return difference;
  }
  return undefined;
}

/** JSON text with sorted keys: the same for equal values. */
export function canonicalJson(value: JsonValue): string {
  return JSON.stringify(value, (_, inner: JsonValue) =>
    isContainer(inner) && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function isContainer(
  value: JsonValue | undefined,
): value is readonly JsonValue[] | { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null;
}
