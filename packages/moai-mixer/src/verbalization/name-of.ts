import { ConfigError } from '@ocelli/core-tensor';

/**
 * A name by its number.
 *
 * @throws ConfigError if the vocabulary is shorter
 */
export function nameOf(vocabulary: readonly string[], number: number, operation: string): string {
  const name = vocabulary[number];
  if (name !== undefined) return name;
  throw new ConfigError({
    operation,
    expected: `a number of one of ${vocabulary.length} names`,
    received: String(number),
    remedy: 'Give the vocabulary of the model that found it.',
  });
}
