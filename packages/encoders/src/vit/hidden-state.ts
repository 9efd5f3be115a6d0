import { ConfigError } from '@ocelli/core-tensor';

/**
 * How many blocks make a hidden state of a transformer.
 *
 * @param layer 0 is the input of the first block, −1 the output of the last one
 * @throws ConfigError if there is no such hidden state
 */
export function blocksOfHiddenState(operation: string, layer: number, blocks: number): number {
  if (!Number.isInteger(layer) || layer > blocks || layer < -(blocks + 1)) {
    throw new ConfigError({
      operation,
      expected: `a layer between ${-(blocks + 1)} and ${blocks}`,
      received: String(layer),
    });
  }
  return layer < 0 ? layer + blocks + 1 : layer;
}
