import { type AnyTypedArray, isArrayOf } from '../dtype.js';
import { CheckpointError, ConfigError } from '../errors.js';
import { sameShape, sizeOf } from '../graph/shape.js';
import { foldIn, type RandomKey, randomKey } from '../random/key.js';
import { Parameter } from './parameter.js';

/** Parameters by their path in a module, for example `layers.0.weight`. */
export type NamedParameters = Record<string, Parameter>;

/** Chooses parameters by name. A string matches the whole path or a leading part of it that ends at a dot. */
export type NamePattern = string | RegExp;

/** A tensor as a checkpoint holds it. */
export interface StateEntry {
  readonly shape: readonly number[];
  readonly data: AnyTypedArray;
}

/** Options of {@link Module.loadState}. */
export interface LoadOptions {
  /** Refuse missing and unexpected names. Default: true. Wrong shapes and dtypes are always refused. */
  readonly strict?: boolean;
}

/** Whether a parameter's path matches a pattern. */
export function matchesName(name: string, pattern: NamePattern): boolean {
  return typeof pattern === 'string' ? name === pattern || name.startsWith(`${pattern}.`) : name.search(pattern) >= 0;
}

/**
 * Base of everything with parameters. Fields that hold parameters, modules, or arrays and plain records of them are
 * found by themselves; a parameter's name is its path through those fields, as in PyTorch.
 */
export abstract class Module {
  /** Every parameter by its path, in the order of the fields. A parameter reached twice keeps its first path. */
  namedParameters(): NamedParameters {
    const found: NamedParameters = {};
    walk(this, '', new Set(), (value, path) => {
      if (value instanceof Parameter) found[path] = value;
    });
    return found;
  }

  /** Every module by its path, this one as `''`, outer ones first. A module reached twice keeps its first path. */
  namedModules(): Record<string, Module> {
    const found: Record<string, Module> = {};
    walk(this, '', new Set(), (value, path) => {
      if (value instanceof Module) found[path] = value;
    });
    return found;
  }

  /** The parameters that training changes. */
  trainableParameters(): NamedParameters {
    return Object.fromEntries(Object.entries(this.namedParameters()).filter(([, parameter]) => parameter.requiresGrad));
  }

  /** Number of elements of all parameters. */
  parameterCount(): number {
    return Object.values(this.namedParameters()).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

  /**
   * Draws all first values anew. A parameter's values depend on the seed and its path only, not on what else is there.
   */
  initialize(seed: number | RandomKey): this {
    const key = typeof seed === 'number' ? randomKey(seed) : seed;
    for (const [name, parameter] of Object.entries(this.namedParameters())) parameter.initialize(foldIn(key, name));
    return this;
  }

  /**
   * Stops training the parameters that match (default: all).
   *
   * @throws ConfigError for a pattern that matches none.
   */
  freeze(...patterns: readonly NamePattern[]): this {
    return this.setRequiresGrad(patterns, false);
  }

  /**
   * Trains the parameters that match (default: all). State that never trains stays as it is.
   *
   * @throws ConfigError for a pattern that matches none.
   */
  unfreeze(...patterns: readonly NamePattern[]): this {
    return this.setRequiresGrad(patterns, true);
  }

  private setRequiresGrad(patterns: readonly NamePattern[], requiresGrad: boolean): this {
    const entries = Object.entries(this.namedParameters());
    for (const pattern of patterns) {
      if (!entries.some(([name]) => matchesName(name, pattern))) {
        throw new ConfigError({
          operation: requiresGrad ? 'unfreeze' : 'freeze',
          expected: 'a pattern that matches a parameter',
          received: String(pattern),
          remedy: `The first parameters are ${entries
            .slice(0, 5)
            .map(([name]) => name)
            .join(', ')}.`,
        });
      }
    }
    for (const [name, parameter] of entries) {
      if (patterns.length === 0 || patterns.some((pattern) => matchesName(name, pattern))) {
        parameter.requiresGrad = requiresGrad && parameter.trainable;
      }
    }
    return this;
  }

  /** Values of all parameters, for a checkpoint. */
  async state(): Promise<Record<string, StateEntry>> {
    const entries = Object.entries(this.namedParameters());
    return Object.fromEntries(
      await Promise.all(
        entries.map(async ([name, parameter]) => [name, { shape: parameter.shape, data: await parameter.data() }]),
      ),
    );
  }

  /**
   * Takes values from a checkpoint.
   *
   * @throws CheckpointError that lists every missing and unexpected name and every one of another shape or dtype;
   *   nothing is loaded then.
   */
  loadState(state: Readonly<Record<string, StateEntry>>, { strict = true }: LoadOptions = {}): void {
    const parameters = this.namedParameters();
    const missing = Object.keys(parameters).filter((name) => !(name in state));
    const unexpected = Object.keys(state).filter((name) => !(name in parameters));
    const misshapen = Object.entries(parameters).flatMap(([name, { shape }]) => {
      const entry = state[name];
      return entry && !sameShape(entry.shape, shape)
        ? [`${name}: [${entry.shape.join(', ')}] instead of [${shape.join(', ')}]`]
        : [];
    });
    const mistyped = Object.entries(parameters).flatMap(([name, { dtype }]) => {
      const data = state[name]?.data;
      return data && !isArrayOf(dtype, data) ? [`${name}: ${data.constructor.name} instead of ${dtype}`] : [];
    });
    const problems = [
      ...(strict && missing.length > 0 ? [`missing: ${missing.join(', ')}`] : []),
      ...(strict && unexpected.length > 0 ? [`unexpected: ${unexpected.join(', ')}`] : []),
      ...(misshapen.length > 0 ? [`of another shape: ${misshapen.join('; ')}`] : []),
      ...(mistyped.length > 0 ? [`of another dtype: ${mistyped.join('; ')}`] : []),
    ];
    if (problems.length > 0) {
      throw new CheckpointError({
        operation: `load into ${this.constructor.name}`,
        expected: 'one tensor per parameter, of its shape and dtype',
        received: problems.join(' | '),
        remedy: 'Check that the checkpoint belongs to this configuration.',
      });
    }
    for (const [name, parameter] of Object.entries(parameters)) {
      const entry = state[name];
      if (entry) parameter.set(entry.data);
    }
  }
}

/** Visits modules and parameters through fields, arrays and plain records, each once. */
function walk(
  value: unknown,
  path: string,
  seen: Set<unknown>,
  visit: (value: Module | Parameter, path: string) => void,
): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  const isModule = value instanceof Module;
  const isParameter = value instanceof Parameter;
  if (!isModule && !isParameter && !Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return;
  seen.add(value);
  if (isModule || isParameter) visit(value, path);
  if (isParameter) return;
  for (const [field, inner] of Object.entries(value))
    walk(inner, path === '' ? field : `${path}.${field}`, seen, visit);
}
