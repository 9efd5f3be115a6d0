import {
  ConfigError,
  LayerNorm,
  Module,
  matchesName,
  type NamedParameters,
  namePattern,
  RMSNorm,
} from '@ocelli/core-tensor';
import { z } from 'zod';

/** Deviations of some parameters from the learning rate and weight decay of the others. */
export const groupConfigSchema = z
  .strictObject({
    /** Patterns of names, see {@link namePattern}. */
    parameters: z.array(z.string()).min(1),
    /** Peak learning rate; follows the schedule in proportion. */
    learningRate: z.number().positive().optional(),
    /** The same as a multiple of the others'. */
    learningRateMultiplier: z.number().positive().optional(),
    weightDecay: z.number().nonnegative().optional(),
  })
  .refine(
    ({ learningRate, learningRateMultiplier }) => learningRate === undefined || learningRateMultiplier === undefined,
    {
      message: 'learningRate and learningRateMultiplier exclude each other',
      path: ['learningRate'],
    },
  );

export type GroupConfig = z.input<typeof groupConfigSchema>;

/** Parameters that share a learning rate and a weight decay. */
export interface ParameterGroup {
  readonly parameters: NamedParameters;
  /** Multiple of the learning rate that an update is given. Default: 1. */
  readonly learningRateMultiplier?: number;
  /** Default: 0. */
  readonly weightDecay?: number;
}

/** What {@link parameterGroups} needs to know. */
export interface GroupRules {
  /** Peak learning rate of parameters that no group gives another one. */
  readonly learningRate: number;
  /** Weight decay of parameters that decay and that no group gives another one. Default: 0. */
  readonly weightDecay?: number;
  /** The first group that matches a name and has a learning rate decides it; likewise the weight decay. */
  readonly groups?: readonly GroupConfig[];
  /** Patterns of names that do not decay. Default: biases and the parameters of LayerNorm and RMSNorm. */
  readonly noDecay?: readonly string[];
}

/** Learning rate and decay of one parameter. */
export interface ParameterSettings {
  readonly learningRateMultiplier: number;
  readonly weightDecay: number;
}

/**
 * Splits a model's trainable parameters by learning rate and weight decay.
 *
 * @throws ConfigError if a group matches no parameter of the model.
 */
export function parameterGroups(model: Module, rules: GroupRules): ParameterGroup[] {
  const settings = parameterSettings(Object.keys(model.namedParameters()), {
    ...rules,
    noDecay: rules.noDecay ?? [...undecayedByDefault(model)],
  });
  const groups = new Map<string, { settings: ParameterSettings; parameters: NamedParameters }>();
  for (const [name, parameter] of Object.entries(model.trainableParameters())) {
    const own = settings.get(name)!;
    const key = JSON.stringify(own);
    const group = groups.get(key) ?? { settings: own, parameters: {} };
    group.parameters[name] = parameter;
    groups.set(key, group);
  }
  return [...groups.values()].map(({ settings: own, parameters }) => ({ parameters, ...own }));
}

/** Learning rate and decay of every name by the rules, as {@link parameterGroups} applies them. */
export function parameterSettings(
  names: readonly string[],
  rules: GroupRules & { readonly noDecay: readonly string[] },
): ReadonlyMap<string, ParameterSettings> {
  const groups = (rules.groups ?? []).map((group) => ({ ...group, patterns: group.parameters.map(namePattern) }));
  for (const { patterns, parameters } of groups) {
    if (names.some((name) => patterns.some((pattern) => matchesName(name, pattern)))) continue;
    throw new ConfigError({
      operation: 'parameterGroups',
      expected: 'every group to match a parameter',
      received: `one for ${parameters.join(', ')}, which matches none`,
      remedy: `The first parameters are ${names.slice(0, 5).join(', ')}.`,
    });
  }
  const noDecay = rules.noDecay.map(namePattern);
  return new Map(
    names.map((name) => {
      const own = groups.filter(({ patterns }) => patterns.some((pattern) => matchesName(name, pattern)));
      const rate = own.find((group) => group.learningRate !== undefined || group.learningRateMultiplier !== undefined);
      const decay = own.find((group) => group.weightDecay !== undefined);
      const decays = !noDecay.some((pattern) => matchesName(name, pattern));
      return [
        name,
        {
          learningRateMultiplier:
            rate?.learningRateMultiplier ?? (rate?.learningRate ?? rules.learningRate) / rules.learningRate,
          weightDecay: decay?.weightDecay ?? (decays ? (rules.weightDecay ?? 0) : 0),
        },
      ];
    }),
  );
}

/** Names that the transformers trainer does not decay: biases, and the parameters of registered norms. */
export function undecayedByDefault(model: Module): ReadonlySet<string> {
  const all = Object.entries(model.namedParameters());
  const names = new Map(all.map(([name, parameter]) => [parameter, name]));
  const undecayed = new Set(all.map(([name]) => name).filter((name) => name.includes('bias')));
  for (const norm of modulesOf(model)) {
    if (!(norm instanceof LayerNorm || norm instanceof RMSNorm)) continue;
    for (const parameter of Object.values(norm.namedParameters())) undecayed.add(names.get(parameter)!);
  }
  return undecayed;
}

function* modulesOf(value: unknown, seen = new Set<unknown>()): Generator<Module> {
  const isContainer =
    value instanceof Module ||
    Array.isArray(value) ||
    (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype);
  if (!isContainer || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Module) yield value;
  for (const inner of Object.values(value as object)) yield* modulesOf(inner, seen);
}
