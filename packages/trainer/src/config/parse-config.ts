import { ConfigError } from '@ocelli/core-tensor';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/**
 * Checks a plain object against a schema.
 *
 * @param operation named in the error, for example `train`.
 * @throws ConfigError that names the first offending key by its path.
 */
export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  operation: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = deepest(parsed.error.issues[0]!);
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const key = [path, issue.keys[0]].filter(Boolean).join('.');
    throw new ConfigError({
      operation,
      expected: 'keys that are known',
      received: `the unknown key ${JSON.stringify(key)}`,
      remedy: 'Remove it, or check its spelling.',
    });
  }
  const received = valueAt(value, issue.path);
  throw new ConfigError({
    operation,
    expected: `${path === '' ? 'a config' : path} to be valid (${issue.message.replace(/\.$/, '')})`,
    received: JSON.stringify(received) ?? String(received),
    remedy: path === '' ? 'Correct the config.' : `Correct ${path}.`,
  });
}

/** In a union, the issue of the member that came closest. */
function deepest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const candidates = issue.errors
    .flat()
    .map((inner) => deepest({ ...inner, path: [...issue.path, ...inner.path] } as Issue));
  return candidates.reduce((best, each) => (each.path.length > best.path.length ? each : best), candidates[0] ?? issue);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
}
