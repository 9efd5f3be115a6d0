import { closeEngine } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { generate, type Llama, leftPad } from '../../src/index.js';
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
});

const sampling = { doSample: true, temperature: 2, topK: 0, maxNewTokens: 8 } as const;

describe('sampling', () => {
  const model = smallModel();
  const tokensOf = (rows: readonly { tokens: readonly number[] }[]) => rows.map(({ tokens }) => tokens);

  it('gives the same answers for a seed, and others for another', async () => {
    const answer = async (seed?: number) =>
      tokensOf(await generate(model, { ...leftPad(prompts, 0), ...sampling, seed }));
    expect(await answer(7)).toEqual(await answer(7));
    expect(await answer(8)).not.toEqual(await answer(7));
    expect(await answer()).toEqual(await answer(0));
  });

  it('answers a row as it does without the rows behind it', async () => {
    const all = tokensOf(await generate(model, { ...leftPad(prompts, 0), ...sampling }));
    expect(tokensOf(await generate(model, { inputIds: ids([prompts[0]!]), ...sampling }))).toEqual([all[0]]);
    expect(tokensOf(await generate(model, { ...leftPad(prompts.slice(0, 2), 0), ...sampling }))).toEqual(
      all.slice(0, 2),
    );
  });

  it('agrees with a cache and without, whatever is asked for', async () => {
    for (const settings of [
      { ...sampling, numReturnSequences: 2 },
      { ...sampling, topK: 7, topP: 0.8, minP: 0.01, typicalP: 0.95, repetitionPenalty: 1.3 },
      { maxNewTokens: 8, repetitionPenalty: 1.5, noRepeatNgramSize: 2, minNewTokens: 3, eosTokenId: [4, 9] },
      { maxNewTokens: 8, numBeams: 3, numReturnSequences: 2, eosTokenId: 4, lengthPenalty: 0.5 },
      { maxNewTokens: 6, numBeams: 2, doSample: true, temperature: 2, eosTokenId: 4, earlyStopping: true },
    ]) {
      const cached = await generate(model, { ...leftPad(prompts, 0), ...settings });
      const uncached = await generate(model, { ...leftPad(prompts, 0), ...settings, useCache: false });
      expect(tokensOf(cached)).toEqual(tokensOf(uncached));
    }
  });

  it('gives several answers to a prompt, each from its own numbers', async () => {
    const rows = tokensOf(await generate(model, { ...leftPad(prompts, 0), ...sampling, numReturnSequences: 3 }));
    expect(rows.length).toBe(9);
    expect(new Set(rows.map(String)).size).toBe(9);
    const first = tokensOf(await generate(model, { inputIds: ids([prompts[0]!]), ...sampling, numReturnSequences: 3 }));
    expect(first).toEqual(rows.slice(0, 3));
  });

  it('draws from one token as greedy decoding takes it', async () => {
    const greedy = await generate(model, { ...leftPad(prompts, 0), maxNewTokens: 8 });
    expect(await generate(model, { ...leftPad(prompts, 0), ...sampling, topK: 1 })).toEqual(greedy);
    expect(await generate(model, { ...leftPad(prompts, 0), ...sampling, topK: 50, topP: 1e-6 })).toEqual(greedy);
  });
});

describe('prompts and settings', () => {
  const model = smallModel();

  it('takes padding for padding without a mask, unless it ends sequences', async () => {
    const { inputIds, attentionMask } = leftPad(prompts, 0);
    const masked = await generate(model, { inputIds, attentionMask, maxNewTokens: 5 });
    const unmasked = await generate(model, { inputIds, maxNewTokens: 5 });
    expect(await generate(model, { inputIds, padTokenId: 0, maxNewTokens: 5 })).toEqual(masked);
    expect(unmasked).not.toEqual(masked);
    const ended = await generate(model, { inputIds, padTokenId: 0, eosTokenId: 0, maxNewTokens: 5, minNewTokens: 5 });
    expect(ended[1]!.tokens[0]).toBe(unmasked[1]!.tokens[0]);
  });

  it('answers prompts padded on the right as it answers them alone', async () => {
    const inputIds = ids(prompts.map((prompt) => [...prompt, 0, 0, 0, 0, 0].slice(0, 7)));
    const attentionMask = ids(
      prompts.map(({ length }) => Array.from({ length: 7 }, (_, place) => Number(place < length))),
    );
    const rows = await generate(model, { inputIds, attentionMask, maxNewTokens: 6, noRepeatNgramSize: 2 });
    expect(rows).toEqual(await generate(model, { ...leftPad(prompts, 0), maxNewTokens: 6, noRepeatNgramSize: 2 }));
  });

  it('penalises ids of the prompt, which vectors do not have', async () => {
    const inputIds = ids([[1, 5, 9, 2]]);
    const settings = { maxNewTokens: 6, repetitionPenalty: 50 };
    const seen: number[][] = [];
    const watch = (_: Float32Array, { ids: row }: { ids: readonly number[] }) => {
      seen.push([...row]);
    };
    const fromIds = await generate(model, { inputIds, ...settings });
    expect(new Set([1, 5, 9, 2, ...fromIds[0]!.tokens]).size).toBe(10);
    const inputsEmbeds = model.embed(inputIds);
    const fromVectors = await generate(model, { inputsEmbeds, ...settings, logitsProcessors: [watch] });
    expect(new Set(fromVectors[0]!.tokens).size).toBe(6);
    expect(seen).toEqual(fromVectors[0]!.tokens.map((_, step) => fromVectors[0]!.tokens.slice(0, step)));
  });

  it('counts the prompt in maxLength and minLength, but not in the settings that override them', async () => {
    const inputIds = ids([[1, 5, 9, 2]]);
    const lengthOf = async (settings: object) => (await generate(model, { inputIds, ...settings }))[0]!.tokens.length;
    expect(await lengthOf({ maxLength: 9 })).toBe(5);
    expect(await lengthOf({})).toBe(16);
    expect(await lengthOf({ maxLength: 9, maxNewTokens: 7 })).toBe(7);
    const [free] = await generate(model, { inputIds, maxNewTokens: 8 });
    const eosTokenId = free!.tokens[2]!;
    expect(await lengthOf({ maxNewTokens: 8, eosTokenId })).toBe(3);
    const inputsEmbeds = model.embed(inputIds);
    for (const prompt of [{ inputIds }, { inputsEmbeds }]) {
      const [row] = await generate(model, { ...prompt, maxNewTokens: 8, minLength: 9, eosTokenId });
      expect(row!.tokens.slice(0, 5)).not.toContain(eosTokenId);
      expect(row!.tokens.length).toBeGreaterThan(5);
    }
  });

  it('follows the settings of the call, then those of the checkpoint', async () => {
    const inputIds = ids([[1, 5, 9, 2]]);
    const generationConfig = { maxNewTokens: 3, suppressTokens: [7], doSample: true };
    expect((await generate(model, { inputIds, generationConfig }))[0]!.tokens.length).toBe(3);
    const greedy = await generate(model, {
      inputIds,
      generationConfig,
      doSample: false,
      suppressTokens: [],
    });
    expect(greedy).toEqual(await generate(model, { inputIds, maxNewTokens: 3 }));
  });

  it('ends rows at stop strings, and gives their text without them', async () => {
    const decode = (tokens: readonly number[]) => tokens.map((token) => String.fromCharCode(97 + token)).join('');
    const free = await generate(model, { ...leftPad(prompts, 0), maxNewTokens: 12, decode });
    const text = free[0]!.text!;
    expect(text).toBe(decode(free[0]!.tokens));
    const stop = text.slice(4, 6);
    const rows = await generate(model, {
      ...leftPad(prompts, 0),
      maxNewTokens: 12,
      decode: { decode },
      stopStrings: stop,
    });
    const end = text.indexOf(stop);
    expect(rows[0]).toEqual({
      tokens: free[0]!.tokens.slice(0, end + 2),
      finishReason: 'stop',
      text: text.slice(0, end),
    });
    expect(free[0]!.finishReason).toBe('length');
  });

  it('ends rows for reasons of the caller', async () => {
    const rows = await generate(model, {
      ...leftPad(prompts, 0),
      maxNewTokens: 12,
      stoppingCriteria: [(all) => all.map(({ row, ids: each, promptLength }) => each.length - promptLength > row)],
    });
    expect(rows.map(({ tokens, finishReason }) => [tokens.length, finishReason])).toEqual([
      [1, 'stop'],
      [2, 'stop'],
      [3, 'stop'],
    ]);
  });

  it('ends with the reason of a signal', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let calls = 0;
    const answer = generate(model, {
      ...leftPad(prompts, 0),
      maxNewTokens: 12,
      signal: controller.signal,
      onToken: () => {
        if (++calls === 3) controller.abort(reason);
      },
    });
    await expect(answer).rejects.toBe(reason);
    expect(calls).toBe(3);
    const late = { ...leftPad(prompts, 0), maxNewTokens: 2, numBeams: 2, signal: controller.signal };
    await expect(generate(model, late)).rejects.toBe(reason);
  });
});
