import { readFile } from 'node:fs/promises';
import { closeEngine, parseSafetensors, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { generate, Llama, leftPad, llamaConfigFromHuggingFace } from '../../src/index.js';
import { decodeWithoutCache, ids, smallModel } from '../support.js';

const prompts = [
  [1, 5, 9, 2, 7, 7, 12],
  [3, 4],
  [1, 30, 11, 8],
];

afterAll(closeEngine);

describe('generate', () => {
  const model = smallModel();

  it('chooses with a cache what it would choose without one, for prompts of any length', async () => {
    const rows = await generate(model, { ...leftPad(prompts, 0), maxNewTokens: 12 });
    for (const [row, prompt] of prompts.entries()) {
      expect(rows[row]!.tokens).toEqual(await decodeWithoutCache(model, prompt, 12));
      expect(rows[row]!.finishReason).toBe('length');
    }
  });

  it('reads vectors as it reads their ids', async () => {
    const { inputIds, attentionMask } = leftPad(prompts, 0);
    const fromIds = await generate(model, { inputIds, attentionMask, maxNewTokens: 4 });
    const fromVectors = await generate(model, { inputsEmbeds: model.embed(inputIds), attentionMask, maxNewTokens: 4 });
    expect(fromVectors).toEqual(fromIds);
  });

  it('ends rows at any end of sequence and stops when all have ended', async () => {
    const free = await generate(model, { ...leftPad(prompts, 0), maxNewTokens: 12 });
    const ends = [free[0]!.tokens[3]!, free[1]!.tokens[5]!, free[2]!.tokens[1]!];
    const calls: (number | undefined)[][] = [];
    const rows = await generate(model, {
      ...leftPad(prompts, 0),
      maxNewTokens: 12,
      eosTokenId: ends,
      onToken: (tokens) => calls.push([...tokens]),
    });
    const expected = free.map(({ tokens }) => tokens.slice(0, tokens.findIndex((token) => ends.includes(token)) + 1));
    expect(rows.map(({ tokens }) => tokens)).toEqual(expected);
    expect(rows.every(({ finishReason }) => finishReason === 'eos')).toBe(true);
    const longest = Math.max(...expected.map(({ length }) => length));
    expect(longest).toBeLessThan(12);
    expect(calls.length).toBe(longest);
    expected.forEach((tokens, row) => {
      expect(calls.map((call) => call[row])).toEqual(Array.from({ length: longest }, (_, step) => tokens[step]));
    });
  });

  it('sees weights that change between calls', async () => {
    const changing = smallModel({}, 5);
    const first = await generate(changing, { inputIds: ids([[1, 2, 3]]), maxNewTokens: 8 });
    changing.initialize(6);
    const second = await generate(changing, { inputIds: ids([[1, 2, 3]]), maxNewTokens: 8 });
    changing.freeze();
    const frozen = await generate(changing, { inputIds: ids([[1, 2, 3]]), maxNewTokens: 8 });
    expect(second).not.toEqual(first);
    expect(second[0]!.tokens).toEqual(await decodeWithoutCache(changing, [1, 2, 3], 8));
    expect(frozen).toEqual(second);
  });

  it('applies hooks to the prompt alone, unless there are hooks for steps', async () => {
    const inputIds = ids([[1, 5, 9, 2]]);
    const lengths: number[] = [];
    const watch = { beforeLayer: (hidden: ReturnType<Llama['embed']>) => hidden };
    const watching = (list: number[]) => ({
      beforeLayer: (hidden: ReturnType<Llama['embed']>) => {
        list.push(hidden.shape[1]!);
        return hidden;
      },
    });
    const plain = await generate(model, { inputIds, maxNewTokens: 3, hooks: watch });
    expect(await generate(model, { inputIds, maxNewTokens: 3, hooks: watching(lengths) })).toEqual(plain);
    expect(new Set(lengths)).toEqual(new Set([4]));
    lengths.length = 0;
    await generate(model, { inputIds, maxNewTokens: 3, stepHooks: watching(lengths) });
    expect(new Set(lengths)).toEqual(new Set([1]));
  });

  it('names options that are wrong', async () => {
    const inputIds = ids([[1, 2]]);
    await expect(generate(model, { inputIds, maxNewTokens: 0 })).rejects.toThrow('maxNewTokens');
    await expect(generate(model, { inputIds, maxNewTokens: 1, eosTokenId: 31 })).rejects.toThrow(
      'below the vocabulary',
    );
    await expect(generate(model, { maxNewTokens: 1 })).rejects.toThrow('received neither');
    expect(() => leftPad([[1], []], 0)).toThrow('an empty prompt at index 1');
    expect(() => leftPad([], 0)).toThrow('no prompt');
  });
});

describe('published greedy decoding', async () => {
  const file = new URL('../fixtures/backbones/generate_llama.safetensors', import.meta.url);
  const { tensors, metadata } = parseSafetensors(await readFile(file));
  const config = JSON.parse(metadata.config!) as { runs: Record<string, Run> };
  interface Run {
    max_new_tokens: number;
    min_new_tokens?: number;
    eos_token_id?: number | number[];
    pad_token_id: number;
  }

  it.each(['greedy', 'greedy_no_eos', 'greedy_two_eos', 'greedy_min_new'])('%s', async (name) => {
    const model = new Llama(llamaConfigFromHuggingFace(config));
    const state = [...tensors].flatMap(([key, value]) => (key.startsWith('param.') ? [[key.slice(6), value]] : []));
    model.loadState(Object.fromEntries(state));
    const read = (key: string) => tensor(tensors.get(key)!.data as BigInt64Array, tensors.get(key)!.shape);
    const run = config.runs[name]!;
    const rows = await generate(model, {
      inputIds: read('in.input_ids'),
      attentionMask: read('in.attention_mask'),
      maxNewTokens: run.max_new_tokens,
      minNewTokens: run.min_new_tokens,
      eosTokenId: run.eos_token_id,
      padTokenId: run.pad_token_id,
    });
    const expected = tensors.get(`out.${name}.sequences`)!;
    const length = expected.shape[1]!;
    rows.forEach(({ tokens }, row) => {
      const reference = [...expected.data.slice(row * length + 6, (row + 1) * length)].map(Number);
      expect([...tokens, ...reference.slice(tokens.length).fill(run.pad_token_id)]).toEqual(reference);
    });
  });
});
