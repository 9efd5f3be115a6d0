import { exitCodes, UnknownNameError } from '../errors.js';
import type { Terminal } from '../terminal.js';
import { findRecipe } from './find-recipe.js';
import { formatOutlines } from './format-outlines.js';
import { formatPlan } from './format-plan.js';
import { formatRecipe } from './format-recipe.js';
import { outlineRecipe } from './outline-recipe.js';
import { planModel } from './plan-model.js';
import { planRecipe } from './plan-recipe.js';
import type { Precision } from './precision.js';
import { type PublishedModel, publishedModels } from './published-models.js';

/** Options of `ocelli plan`, whatever is planned. */
export interface PlanCommandOptions {
  readonly image?: readonly [height: number, width: number] | undefined;
  readonly context?: number | undefined;
  readonly batch: number;
  readonly precisions: readonly Precision[];
  readonly loraRank?: number | undefined;
  readonly json: boolean;
}

/**
 * `ocelli plan --model`: what a published backbone costs. No weights are made.
 *
 * @param model a name of the table, or that of a repository that ends so: `lmsys/vicuna-7b-v1.5`
 */
export function planModelCommand(terminal: Terminal, model: string, { json, ...options }: PlanCommandOptions): number {
  const name = findName(model);
  const plan = planModel(name, (publishedModels as Readonly<Record<string, PublishedModel>>)[name]!, options);
  return write(terminal, json ? toJson(plan) : formatPlan(plan));
}

/**
 * `ocelli plan --recipe`: what a published multimodal model costs, or all of a system in a table.
 *
 * @param recipe `honeybee`, or `honeybee:c-7b-m144`
 */
export function planRecipeCommand(
  terminal: Terminal,
  recipe: string,
  { json, ...options }: PlanCommandOptions,
): number {
  const variants = findRecipe(recipe);
  const [only] = variants;
  if (recipe.includes(':')) {
    const plan = planRecipe(only!, options);
    return write(terminal, json ? toJson(plan) : formatRecipe(plan));
  }
  const outlines = variants.map((variant) => outlineRecipe(variant, options).outline);
  const { system, paper } = only!;
  return write(terminal, json ? toJson({ system, paper, variants: outlines }) : formatOutlines(outlines));
}

function write(terminal: Terminal, text: string): number {
  terminal.write(text);
  return exitCodes.success;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function findName(text: string): string {
  const names = Object.keys(publishedModels);
  const plain = text.slice(text.lastIndexOf('/') + 1).toLowerCase();
  const found = names.find((name) => name === plain);
  if (found !== undefined) return found;
  throw new UnknownNameError('model', text, names);
}
