import { argMax, compile, type Tensor, tensor, where } from '@ocelli/core-tensor';
import type { KeyValueCache } from '../llama/cache.js';
import type { DecoderHooks } from '../llama/decoder-layer.js';
import type { TokenInput } from '../llama/input.js';
import type { Llama } from '../llama/llama.js';

/** The likeliest next token of each row, int32 [batch], and what was read so far. */
export interface GreedyState {
  readonly next: Tensor;
  readonly cache: KeyValueCache;
}

/** Reading a prompt and reading a token, compiled. Tokens in `forbidden` are not chosen. */
export interface GreedyPrograms {
  prefill(prompt: TokenInput, capacity: number, forbidden: readonly number[]): Promise<GreedyState>;
  step(inputIds: Tensor, cache: KeyValueCache, forbidden: readonly number[]): Promise<GreedyState>;
}

type ByHooks<Program> = WeakMap<DecoderHooks, Program>;

const noHooks: DecoderHooks = {};
const prefills = new WeakMap<Llama, ByHooks<GreedyPrograms['prefill']>>();
const steps = new WeakMap<Llama, ByHooks<GreedyPrograms['step']>>();

/** The programs of a model with these hooks; made once for the same objects. */
export function greedyPrograms(
  model: Llama,
  hooks: DecoderHooks = noHooks,
  stepHooks: DecoderHooks = noHooks,
): GreedyPrograms {
  return {
    prefill: remembered(prefills, model, hooks, () => compilePrefill(model, hooks)),
    step: remembered(steps, model, stepHooks, () => compileStep(model, stepHooks)),
  };
}

function compilePrefill(model: Llama, hooks: DecoderHooks): GreedyPrograms['prefill'] {
  return compile((prompt: TokenInput, capacity: number, forbidden: readonly number[]) => {
    const { logits, cache } = model.prefill({ ...prompt, capacity, hooks });
    return { next: likeliest(logits, forbidden), cache };
  });
}

function compileStep(model: Llama, hooks: DecoderHooks): GreedyPrograms['step'] {
  const step = compile((inputIds: Tensor, cache: KeyValueCache, forbidden: readonly number[]) => {
    const { logits, cache: read } = model.decodeStep({ inputIds, cache, hooks });
    return { next: likeliest(logits, forbidden), answer: read.answer, nextPosition: read.nextPosition };
  });
  return async (inputIds, cache, forbidden) => {
    const { next, answer, nextPosition } = await step(inputIds, cache, forbidden);
    return { next, cache: { prompt: cache.prompt, answer, nextPosition } };
  };
}

/** logits [batch, vocabSize] → int32 [batch] */
function likeliest(logits: Tensor, forbidden: readonly number[]): Tensor {
  if (forbidden.length === 0) return argMax(logits, -1);
  const isForbidden = new Uint8Array(logits.shape[1]!);
  for (const id of forbidden) isForbidden[id] = 1;
  const mask = tensor(isForbidden, [1, isForbidden.length], 'bool');
  return argMax(where(mask, Number.NEGATIVE_INFINITY, logits), -1);
}

function remembered<Program>(
  all: WeakMap<Llama, ByHooks<Program>>,
  model: Llama,
  hooks: DecoderHooks,
  make: () => Program,
): Program {
  const ofModel: ByHooks<Program> = all.get(model) ?? new WeakMap();
  all.set(model, ofModel);
  const program = ofModel.get(hooks) ?? make();
  ofModel.set(hooks, program);
  return program;
}
