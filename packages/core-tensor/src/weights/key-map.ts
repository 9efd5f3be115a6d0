import { ConfigError } from '../errors.js';
import type { Shape } from '../graph/shape.js';

/** Elements of a tensor in memory, row-major. */
export interface FloatTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Between one stored tensor and the parameters it holds, both ways: for reading and for writing. */
export interface WeightLayout {
  /** Shape of the stored tensor that holds parameters of these shapes. */
  shape(parameters: readonly Shape[]): Shape;
  /** The parameters' values, in the order of the rule. Parts may share memory with what was stored. */
  read(stored: FloatTensor, parameters: readonly Shape[]): readonly FloatTensor[];
  /** The stored tensor. It may share memory with a part. */
  write(parts: readonly FloatTensor[]): FloatTensor;
}

/**
 * One entry of a key map. A `*` in `key` and in `parameter` stands for a number, for example a layer's; the first one
 * of the key is the first one of the parameter, and so on.
 */
export interface KeyRule {
  readonly key: string;
  /** Path of the parameter; of several, where the stored tensor packs them (then `layout` says how). */
  readonly parameter: string | readonly string[];
  /** Default: stored as it is. */
  readonly layout?: WeightLayout;
}

/**
 * How the names in a checkpoint correspond to a module's parameters. Names without a rule are the parameters' paths
 * themselves, so a module that is named like its published checkpoint needs none.
 */
export interface KeyMap {
  /** Of several rules for one parameter, reading follows all, and writing the first. */
  readonly rules: readonly KeyRule[];
  /** Stored names, with or without their prefix, that the module has no use for. */
  readonly ignore?: readonly RegExp[];
  /** Taken off stored names that begin with one of them; the longest counts. Never written. */
  readonly prefixes?: readonly string[];
  /** Parameters that a checkpoint may lack: they keep their first values then. */
  readonly optional?: readonly RegExp[];
}

/** The map of a module whose parameters are named like the stored tensors. */
export const identityKeyMap: KeyMap = { rules: [] };

/**
 * Buffers of old checkpoints that follow from the configuration. Source: what Hugging Face's models list as
 * `_keys_to_ignore_on_load_unexpected`.
 */
export const ignoredBuffers: readonly RegExp[] = [/(^|\.)rotary_emb\.inv_freq$/, /(^|\.)position_ids$/];

/** What a stored tensor holds. */
export interface StoredRole {
  readonly parameters: readonly string[];
  readonly layout: WeightLayout | undefined;
}

/** A {@link KeyMap} made ready for looking names up, both ways. */
export interface CompiledKeyMap {
  isIgnored(key: string): boolean;
  isOptional(parameter: string): boolean;
  /** What the tensor of this name holds, by the candidates in order: rule or path, then the same under its new name. */
  rolesOf(key: string): readonly StoredRole[];
  /** Name and contents of the stored tensor that a parameter is written to. */
  storedAs(parameter: string): StoredRole & { readonly key: string };
}

interface CompiledRule {
  readonly key: Pattern;
  readonly parameters: readonly Pattern[];
  readonly layout: WeightLayout | undefined;
}

interface Pattern {
  /** The numbers behind the stars, or undefined where the name does not match. */
  match(name: string): readonly string[] | undefined;
  fill(numbers: readonly string[]): string;
}

/**
 * @throws ConfigError for a rule whose stars do not correspond, or that packs several parameters without a layout
 */
export function compileKeyMap({ rules, ignore = [], prefixes = [], optional = [] }: KeyMap): CompiledKeyMap {
  const compiled = rules.map(compileRule);
  const longestFirst = [...prefixes].sort((a, b) => b.length - a.length);
  const withoutPrefix = (key: string) => {
    const prefix = longestFirst.find((each) => key.startsWith(each));
    return prefix === undefined ? key : key.slice(prefix.length);
  };
  const patterns = [...ignoredBuffers, ...ignore];
  const matchesAny = (list: readonly RegExp[], name: string) => list.some((pattern) => name.search(pattern) >= 0);
  const roleOf = (key: string): StoredRole => {
    for (const { key: pattern, parameters, layout } of compiled) {
      const numbers = pattern.match(key);
      if (numbers) return { parameters: parameters.map((each) => each.fill(numbers)), layout };
    }
    return { parameters: [key], layout: undefined };
  };
  return {
    isIgnored: (key) => matchesAny(patterns, key) || matchesAny(patterns, withoutPrefix(key)),
    isOptional: (parameter) => matchesAny(optional, parameter),
    rolesOf(key) {
      const name = withoutPrefix(key);
      const newName = renamed(name);
      return newName === name ? [roleOf(name)] : [roleOf(name), roleOf(newName)];
    },
    storedAs(parameter) {
      for (const { key, parameters, layout } of compiled) {
        for (const pattern of parameters) {
          const numbers = pattern.match(parameter);
          if (numbers) {
            return { key: key.fill(numbers), parameters: parameters.map((each) => each.fill(numbers)), layout };
          }
        }
      }
      return { key: parameter, parameters: [parameter], layout: undefined };
    },
  };
}

/** TensorFlow's names of a norm's gain and shift, which files converted from it still have. */
function renamed(key: string): string {
  return key.replace(/(^|\.)gamma$/, '$1weight').replace(/(^|\.)beta$/, '$1bias');
}

function compileRule({ key, parameter, layout }: KeyRule): CompiledRule {
  const parameters = typeof parameter === 'string' ? [parameter] : parameter;
  const stars = starsOf(key);
  const odd = parameters.find((each) => starsOf(each) !== stars);
  if (odd !== undefined) throw badRule(`${stars} stars in ${odd}, as in ${key}`, `${starsOf(odd)}`);
  if (parameters.length !== 1 && layout === undefined) {
    throw badRule(`a layout for ${key}, which holds ${parameters.length} parameters`, 'none');
  }
  return { key: patternOf(key), parameters: parameters.map(patternOf), layout };
}

function starsOf(text: string): number {
  return text.split('*').length - 1;
}

function badRule(expected: string, received: string): ConfigError {
  return new ConfigError({ operation: 'key map', expected, received, remedy: 'Correct the rule.' });
}

function patternOf(text: string): Pattern {
  const parts = text.split('*');
  const source = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('(\\d+)');
  const pattern = new RegExp(`^${source}$`);
  return {
    match: (name) => pattern.exec(name)?.slice(1),
    fill: (numbers) => parts.reduce((name, part, index) => `${name}${numbers[index - 1]}${part}`),
  };
}
