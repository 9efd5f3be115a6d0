import { dryLoad, loadLora, loraConfigFromPeft, type Module, OcelliError } from '@ocelli/core-tensor';
import { mergeFits } from './describe-model.js';
import type { AdapterFacts, Fit } from './inspection.js';

/**
 * What an `adapter_config.json` describes.
 *
 * @throws ConfigError if it is of another kind than LoRA, or a field is invalid
 */
export function describeAdapter(json: unknown): AdapterFacts {
  const { r, loraAlpha, targetModules = [], baseModelNameOrPath, useRslora } = loraConfigFromPeft(json);
  return {
    kind: useRslora ? 'rank-stabilised LoRA' : 'LoRA',
    base: baseModelNameOrPath,
    rank: r,
    alpha: loraAlpha,
    targets: typeof targetModules === 'string' ? [targetModules] : targetModules,
  };
}

/** How an adapter fits the model it is put on. */
export async function fitAdapter(
  module: Module,
  folder: string,
): Promise<{ readonly fit: Fit | null; readonly problem: string | null }> {
  try {
    const { loads } = await dryLoad(() => loadLora(module, folder));
    return { fit: mergeFits(loads.map(({ match }) => match)), problem: null };
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    return { fit: null, problem: error.message };
  }
}
