import { ConfigError, dryLoad, type Module, OcelliError, QuantizedWeight, sizeOf } from '@ocelli/core-tensor';
import type { Fit, ModelFacts } from './inspection.js';
import { type CheckpointFacts, configOf, knownModels, readerOf } from './model-readers.js';

/** What became of building a model. */
export interface ModelOrProblem {
  readonly module: Module | null;
  readonly model: ModelFacts | null;
  readonly fit: Fit | null;
  readonly problem: string | null;
  readonly note: string | null;
}

/** Builds the model that a checkpoint is of by shapes only, and compares their tensors. */
export async function describeModel(facts: CheckpointFacts): Promise<ModelOrProblem> {
  const nothing = { module: null, model: null, fit: null, problem: null, note: null };
  const reader = await readerOf(facts);
  try {
    const { result: module, loads } = await dryLoad(() => reader.load(facts.path));
    const model = { kind: reader.kind(module, facts), parameters: parametersOf(module), config: configOf(module) };
    return { ...nothing, module, model, fit: mergeFits(loads.map(({ match }) => match)) };
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    // The last reader is asked where no other knows the model type, and says so where it does not either.
    if (reader.isLast && error instanceof ConfigError) return { ...nothing, note: unknownModel(facts) };
    return { ...nothing, problem: error.message };
  }
}

function unknownModel({ config: { model_type: type } }: CheckpointFacts): string {
  if (typeof type !== 'string') {
    return 'No model is known by these tensors alone. Where a config.json belongs to them, inspect its folder.';
  }
  return `No model that can be loaded: expected model_type ${knownModels().join(', ')}, received ${JSON.stringify(type)}.`;
}

/** Elements of all weights, of quantized ones those behind them. */
function parametersOf(module: Module): number {
  const quantized = Object.values(module.namedModules()).filter((each) => each instanceof QuantizedWeight);
  const inside = new Set(quantized.flatMap((each) => Object.values(each.namedParameters())));
  const others = Object.values(module.namedParameters()).filter((parameter) => !inside.has(parameter));
  return [...others, ...quantized].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Several comparisons of one checkpoint as one. */
export function mergeFits(fits: readonly Fit[]): Fit {
  const all = (field: keyof Fit) => fits.flatMap((fit) => fit[field]);
  return {
    missing: all('missing'),
    unexpected: all('unexpected'),
    misshapen: all('misshapen'),
    mistyped: all('mistyped'),
    repeated: all('repeated'),
    ignored: all('ignored'),
    kept: all('kept'),
  };
}

/** Whether everything has its place. */
export function fits({ missing, unexpected, misshapen, mistyped, repeated }: Fit): boolean {
  return [missing, unexpected, misshapen, mistyped, repeated].every((names) => names.length === 0);
}
