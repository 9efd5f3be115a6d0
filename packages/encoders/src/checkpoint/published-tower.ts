import { ConfigError } from '@ocelli/core-tensor';
import type { JsonObject } from './read-json.js';

/**
 * The published tower that a vision-language model of LLaVA's kind was made with: its `config.json` only has the name,
 * `mm_vision_tower`.
 *
 * @throws ConfigError if it is not among the known ones
 */
export function publishedTowerOf<Config>(
  operation: string,
  json: JsonObject,
  known: Readonly<Record<string, Config>>,
): Config {
  const name = String(json.mm_vision_tower);
  const short = name.split('/').at(-1)!;
  if (Object.hasOwn(known, short)) return known[short]!;
  throw new ConfigError({
    operation,
    expected: `an mm_vision_tower among ${Object.keys(known).join(', ')}`,
    received: JSON.stringify(name),
    remedy: 'Give the configuration of the tower.',
  });
}
