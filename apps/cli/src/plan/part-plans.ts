import type { Parameter } from '@ocelli/core-tensor';
import { type AssembledModel, modelParts } from '@ocelli/vlm';
import { elementsOf } from './memory.js';

/** Parameters of a part of a model. */
export interface PartPlan {
  readonly name: string;
  readonly parameters: number;
}

/** Parts and their parameters, or those of them that are counted. */
export function partPlans(model: AssembledModel, counts: (parameter: Parameter) => boolean = () => true): PartPlan[] {
  return Object.entries(modelParts(model))
    .map(([name, group]) => ({ name, parameters: elementsOf(Object.values(group).filter(counts)) }))
    .filter(({ parameters }) => parameters > 0);
}
