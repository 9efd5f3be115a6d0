import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UnknownNameError } from '../errors.js';
import { readYaml } from './read-yaml.js';
import { type Recipe, recipeSchema } from './schema.js';

/** The recipes of the package: beside `dist` when built, two folders up when run from sources. */
function recipesFolder(): string {
  const candidates = ['../recipes/', '../../recipes/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return candidates.find(existsSync) ?? candidates[0]!;
}

/** Names of the recipes that can be reproduced. */
export async function recipeNames(): Promise<string[]> {
  const files = await readdir(recipesFolder());
  return files.filter((file) => file.endsWith('.yaml')).map((file) => file.slice(0, -'.yaml'.length));
}

/**
 * A recipe by its name.
 *
 * @throws UnknownNameError that lists the valid names; ConfigError if the file is malformed.
 */
export async function loadRecipe(name: string): Promise<Recipe> {
  const names = await recipeNames();
  if (!names.includes(name)) throw new UnknownNameError('recipe', name, names);
  return readYaml(join(recipesFolder(), `${name}.yaml`), recipeSchema);
}
