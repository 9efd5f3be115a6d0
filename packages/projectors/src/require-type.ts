import { ConfigError } from '@ocelli/core-tensor';

/**
 * Refuses a type that a registry has no entry for.
 *
 * @throws ConfigError that lists the known ones
 */
export function requireType<Type extends string>(
  operation: string,
  registry: Readonly<Record<Type, unknown>>,
  type: unknown,
): asserts type is Type {
  if (typeof type === 'string' && Object.hasOwn(registry, type)) return;
  throw new ConfigError({
    operation,
    expected: `a type among ${Object.keys(registry).join(', ')}`,
    received: JSON.stringify(type) ?? 'none',
  });
}
