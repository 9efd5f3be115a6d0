import { exitCodes, UnknownNameError } from '../errors.js';
import type { Terminal } from '../terminal.js';
import { formatPlan } from './format-plan.js';
import { type Precision, planModel } from './plan-model.js';
import { type PublishedModel, publishedModels } from './published-models.js';

/** Options of `ocelli plan`. */
export interface PlanCommandOptions {
  /** A name of the table, or that of a repository that ends so: `lmsys/vicuna-7b-v1.5`. */
  readonly model: string;
  readonly image?: readonly [height: number, width: number] | undefined;
  readonly context?: number | undefined;
  readonly batch: number;
  readonly precisions: readonly Precision[];
  readonly loraRank?: number | undefined;
  readonly json: boolean;
}

/** `ocelli plan`: what a published model costs. No weights are made. */
export function planCommand(terminal: Terminal, { model, json, ...options }: PlanCommandOptions): number {
  const name = findName(model);
  const plan = planModel(name, (publishedModels as Readonly<Record<string, PublishedModel>>)[name]!, options);
  terminal.write(json ? `${JSON.stringify(plan, undefined, 2)}\n` : formatPlan(plan));
  return exitCodes.success;
}

function findName(text: string): string {
  const names = Object.keys(publishedModels);
  const plain = text.slice(text.lastIndexOf('/') + 1).toLowerCase();
  const found = names.find((name) => name === plain);
  if (found !== undefined) return found;
  throw new UnknownNameError('model', text, names);
}
