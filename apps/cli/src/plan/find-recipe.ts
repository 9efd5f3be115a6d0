import { type PublishedSystem, publishedSystems } from '@ocelli/vlm';
import { UnknownNameError } from '../errors.js';
import type { NamedVariant } from './outline-recipe.js';

/**
 * The variants that a name stands for: `honeybee` for all of a system, `honeybee:c-7b-m144` for one.
 *
 * @throws UnknownNameError for an unknown system or variant
 */
export function findRecipe(text: string): readonly NamedVariant[] {
  const [systemText = '', variantText, ...rest] = text.toLowerCase().split(':');
  const systems: Readonly<Record<string, PublishedSystem>> = publishedSystems;
  const system = nameAmong(Object.keys(systems), 'recipe', systemText);
  const { paper, variants } = systems[system]!;
  const wanted = variantText === undefined ? undefined : [variantText, ...rest].join(':');
  const names =
    wanted === undefined ? Object.keys(variants) : [nameAmong(Object.keys(variants), `variant of ${system}`, wanted)];
  return names.map((name) => ({ system, paper, name, variant: variants[name]! }));
}

function nameAmong(names: readonly string[], what: string, text: string): string {
  if (names.includes(text)) return text;
  throw new UnknownNameError(what, text, names);
}
