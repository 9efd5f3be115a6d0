import { ConfigError } from './errors.js';

/** A problem that a schema finds. Fits those of zod. */
export interface ConfigIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code?: string | undefined;
  /** Keys nobody knows, below `path`. */
  readonly keys?: readonly string[];
  /** Problems of each member of a union, their paths below `path`. */
  readonly errors?: readonly (readonly ConfigIssue[])[];
}

/** What {@link parseConfig} needs of a schema. Those of zod fit. */
export interface ConfigSchema<Config> {
  safeParse(
    config: unknown,
  ):
    | { readonly success: true; readonly data: Config }
    | { readonly success: false; readonly error: { readonly issues: readonly ConfigIssue[] } };
}

/**
 * A configuration with its defaults filled in.
 *
 * @param operation stands in front of the error's message.
 * @throws ConfigError that names every field that is missing, unknown or out of range, by its path
 */
export function parseConfig<Config>(operation: string, schema: ConfigSchema<Config>, config: unknown): Config {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new ConfigError({
    operation,
    expected: 'a valid configuration',
    received: parsed.error.issues.map((issue) => describe(deepest(issue), config)).join('; '),
    remedy: 'Correct the named fields.',
  });
}

function describe({ path, message, keys }: ConfigIssue, config: unknown): string {
  if (keys) return keys.map((key) => `unknown key ${JSON.stringify([...path, key].map(String).join('.'))}`).join('; ');
  const problem = message.replace(/\.$/, '');
  if (path.length === 0) return problem;
  const field = path.map(String).join('.');
  const value = valueAt(config, path);
  if (value === undefined || (typeof value === 'object' && value !== null)) return `${field}: ${problem}`;
  // Zod names the type of the value at best.
  return `${field}: ${problem.replace(/, received .*$/, '')} (received ${JSON.stringify(value) ?? String(value)})`;
}

/** In a union, the problem of the member that came closest. */
function deepest(issue: ConfigIssue): ConfigIssue {
  const candidates = (issue.errors ?? [])
    .flat()
    .map((inner) => deepest({ ...inner, path: [...issue.path, ...inner.path] }));
  return candidates.reduce((best, each) => (each.path.length > best.path.length ? each : best), candidates[0] ?? issue);
}

function valueAt(config: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key],
    config,
  );
}
