import { indexFileName, singleFileName } from '../../safetensors/index-file.js';

/** Chooses files of a repository, by path or by pattern. */
export type FilePattern = string | RegExp;

/** What a loader may ask for beside the weights: configurations, tokenizers, templates. */
const companions = /^[^/]+\.(json|jinja|tiktoken)$|^(tokenizer\.model|merges\.txt|vocab\.txt)$/;

/** Programs, and their indices: never downloaded. */
const pickles = /\.(bin|pth?|ckpt|pkl|pickle|msgpack|h5)(\.index\.json)?$/;

const weights = /^[^/]+\.safetensors$/;

/** Whether files of this name are never downloaded. */
export function isPickle(path: string): boolean {
  return pickles.test(path);
}

/** Files beside the weights, which come first: one of them says which weights there are. */
export function selectCompanions(paths: readonly string[]): string[] {
  return paths.filter((path) => companions.test(path) && !isPickle(path));
}

/**
 * Files of the weights, as `openCheckpoint` finds them: the single file, or the shards of the index; where there is
 * neither, every safetensors file, such as that of an adapter.
 *
 * @param shards files that the index lists
 */
export function selectWeights(paths: readonly string[], shards: readonly string[]): string[] {
  if (paths.includes(singleFileName)) return [singleFileName];
  if (paths.includes(indexFileName)) return [...new Set(shards)];
  return paths.filter((path) => weights.test(path));
}

/** The files that patterns choose, without those that are never downloaded. */
export function selectMatching(paths: readonly string[], patterns: readonly FilePattern[]): string[] {
  const matches = (path: string, pattern: FilePattern) =>
    typeof pattern === 'string' ? path === pattern : path.search(pattern) >= 0;
  return paths.filter((path) => !isPickle(path) && patterns.some((pattern) => matches(path, pattern)));
}

/** Whether a path of a repository stays in the folder that it is put in, on every platform. */
export function isSafePath(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\:\0]/.test(part));
}
