import { ConfigError } from '@ocelli/core-tensor';
import type { z } from 'zod';

/**
 * A configuration with its defaults filled in.
 *
 * @throws ConfigError that names every field that is missing, unknown or out of range
 */
export function parseConfig<Schema extends z.ZodType>(
  operation: string,
  schema: Schema,
  config: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => {
    const field = path.map(String).join('.');
    return field === '' ? message : `${field}: ${message}`;
  });
  throw new ConfigError({
    operation,
    expected: 'a valid configuration',
    received: problems.join('; '),
    remedy: 'Correct the named fields.',
  });
}
