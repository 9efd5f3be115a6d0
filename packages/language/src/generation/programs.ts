import { argMax, compile, gather, type Tensor } from '@ocelli/core-tensor';
import type { KeyValueCache } from '../llama/cache.js';
import type { DecoderHooks } from '../llama/decoder-layer.js';
import type { TokenInput } from '../llama/input.js';
import type { Llama } from '../llama/llama.js';

/** Scores of each row's next token, and what was read so far. */
export interface DecodeState {
  /** [batch, vocabSize] */
  readonly logits: Tensor;
  /** The tokens of the highest scores, int32 [batch]. */
  readonly likeliest: Tensor;
  readonly cache: KeyValueCache;
}

/** Reading a prompt and reading a token, compiled. */
export interface DecodePrograms {
  prefill(prompt: TokenInput, capacity: number): Promise<DecodeState>;
  /** The cache is given for good: the step writes over it. */
  step(inputIds: Tensor, cache: KeyValueCache): Promise<DecodeState>;
}

type ByHooks<Program> = WeakMap<DecoderHooks, Program>;

const noHooks: DecoderHooks = {};
const prefills = new WeakMap<Llama, ByHooks<DecodePrograms['prefill']>>();
const steps = new WeakMap<Llama, ByHooks<DecodePrograms['step']>>();

/** The programs of a model with these hooks; made once for the same objects. */
export function decodePrograms(
  model: Llama,
  hooks: DecoderHooks = noHooks,
  stepHooks: DecoderHooks = noHooks,
): DecodePrograms {
  return {
    prefill: remembered(prefills, model, hooks, () => compilePrefill(model, hooks)),
    step: remembered(steps, model, stepHooks, () => compileStep(model, stepHooks)),
  };
}

/** Rows of what was read, in another order: rows int32 [new batch]. */
export const gatherRows: (cache: KeyValueCache, rows: Tensor) => Promise<KeyValueCache> = compile(
  ({ keys, values, visible, length, nextPosition }: KeyValueCache, rows: Tensor) => ({
    keys: keys.map((x) => gather(x, rows)),
    values: values.map((x) => gather(x, rows)),
    visible: gather(visible, rows),
    length,
    nextPosition: gather(nextPosition, rows),
  }),
);

function compilePrefill(model: Llama, hooks: DecoderHooks): DecodePrograms['prefill'] {
  return compile(
    (prompt: TokenInput, capacity: number) => {
      const { logits, cache } = model.prefill({ ...prompt, capacity, hooks });
      return { logits, likeliest: argMax(logits, -1), cache };
    },
    { frozen: 'reference' },
  );
}

function compileStep(model: Llama, hooks: DecoderHooks): DecodePrograms['step'] {
  const make = (frozen: 'constant' | 'reference') =>
    compile(
      (inputIds: Tensor, cache: KeyValueCache) => {
        const { logits, cache: read } = model.decodeStep({ inputIds, cache, hooks });
        const { visible: _same, ...changed } = read;
        return { logits, likeliest: argMax(logits, -1), changed };
      },
      { donate: [1], frozen },
    );
  // Products of one row are as fast on weights where they are; those of a few rows are twice as fast on packed ones.
  const [single, several] = [make('reference'), make('constant')];
  return async (inputIds, cache) => {
    const step = inputIds.shape[0] === 1 ? single : several;
    const { logits, likeliest, changed } = await step(inputIds, cache);
    return { logits, likeliest, cache: { ...changed, visible: cache.visible } };
  };
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
