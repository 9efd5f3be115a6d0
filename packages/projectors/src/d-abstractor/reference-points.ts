import { ConfigError } from '@ocelli/core-tensor';
import { isSquare } from '../fields.js';

/**
 * First reference points of a D-Abstractor's queries, [outputTokens, 2] as (x, y) from 0 to 1: a grid whose outer points
 * are the centres of the outer features, row by row. These are not the centres of pooling windows (Honeybee §3.3;
 * `honeybee/projectors/dabs.py`).
 *
 * @throws ConfigError unless both numbers are squares
 */
export function initialReferencePoints(inputTokens: number, outputTokens: number): Float32Array {
  if (![inputTokens, outputTokens].every((count) => count > 0 && isSquare(count))) {
    throw new ConfigError({
      operation: 'initialReferencePoints',
      expected: 'square numbers of features and of tokens',
      received: `${inputTokens} and ${outputTokens}`,
    });
  }
  const [features, points] = [Math.sqrt(inputTokens), Math.sqrt(outputTokens)];
  const step = points === 1 ? 0 : (features - 1) / (points - 1);
  const along = Array.from({ length: points }, (_, index) => (0.5 + index * step) / features);
  return Float32Array.from(along.flatMap((y) => along.flatMap((x) => [x, y])));
}
