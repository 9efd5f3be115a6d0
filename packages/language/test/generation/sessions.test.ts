import { ConfigError, closeEngine, mul, reshape, tensor, where } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  cachedSession,
  type DecoderHooks,
  type DecoderSession,
  type Logits,
  leftPad,
  type TokenInput,
  uncachedSession,
} from '../../src/index.js';
import { ids, smallModel } from '../support.js';

afterAll(closeEngine);

const prompts = [
  [1, 5, 9, 2, 7],
  [3, 4],
  [11, 8, 30],
];
const model = smallModel();
const { vocabSize } = model.config;

/** Scores of every step of a session, rows of them. */
async function scoresOf(
  session: DecoderSession,
  prompt: TokenInput,
  drive: (session: DecoderSession) => Promise<Logits[]> = async () => [],
): Promise<number[][]> {
  const rowsOf = async (logits: Logits) => {
    const values = await logits.values();
    const rows = Array.from({ length: values.length / vocabSize }, (_, row) => [
      ...values.subarray(row * vocabSize, (row + 1) * vocabSize),
    ]);
    const likeliest = await logits.likeliest();
    expect([...likeliest]).toEqual(rows.map((row) => row.indexOf(Math.max(...row))));
    return rows;
  };
  const first = await rowsOf(await session.prefill(prompt));
  const others: number[][] = [];
  for (const logits of await drive(session)) others.push(...(await rowsOf(logits)));
  session.close();
  return [...first, ...others];
}

function expectClose(actual: readonly number[][], expected: readonly number[][]): void {
  expect(actual.length).toBe(expected.length);
  actual.flat().forEach((value, index) => {
    expect(Math.abs(value - expected.flat()[index]!)).toBeLessThan(2e-4);
  });
}

const openCached = () => cachedSession(model, { capacity: 8 });

describe.each([
  ['cached', openCached],
  ['uncached', () => uncachedSession(model)],
])('a %s session', (_, open) => {
  it('reads prompts padded on either side as it reads them alone', async () => {
    const expected: number[][] = [];
    for (const prompt of prompts) expected.push(...(await scoresOf(open(), { inputIds: ids([prompt]) })));
    const left = leftPad(prompts, 0);
    const padded = prompts.map((prompt) => [...prompt, 0, 0, 0].slice(0, 5));
    const mask = prompts.map((prompt) =>
      prompt
        .map(() => 1)
        .concat([0, 0, 0])
        .slice(0, 5),
    );
    const right = { inputIds: ids(padded), attentionMask: ids(mask) };
    expectClose(await scoresOf(open(), left), expected);
    expectClose(await scoresOf(open(), right), expected);
    expectClose(
      await scoresOf(open(), { ...right, inputIds: undefined, inputsEmbeds: model.embed(right.inputIds) }),
      expected,
    );
  });

  it('goes on from the rows it is told, as from prompts with what was read', async () => {
    const actual = await scoresOf(open(), leftPad(prompts, 0), async (session) => {
      await session.expand(2);
      await (await session.step(Int32Array.of(1, 2, 3, 4, 5, 6))).values();
      await session.reorder(Int32Array.of(5, 0, 0, 3));
      return [await session.step(Int32Array.of(9, 8, 7, 6))];
    });
    const expected: number[][] = [];
    for (const sequence of [
      [...prompts[2]!, 6, 9],
      [...prompts[0]!, 1, 8],
      [...prompts[0]!, 1, 7],
      [...prompts[1]!, 4, 6],
    ]) {
      expected.push(...(await scoresOf(uncachedSession(model), { inputIds: ids([sequence]) })));
    }
    expectClose(actual.slice(prompts.length), expected);
  });
});

it('shows hooks the same places with a cache and without', async () => {
  const { inputIds, attentionMask } = leftPad(prompts, 0);
  const visualMask = tensor(
    Uint8Array.from({ length: 15 }, (_, place) => (place % 5 === 3 ? 1 : 0)),
    [3, 5],
    'bool',
  );
  const hooks: DecoderHooks = {
    beforeLayer: (hidden, { layer, visualMask: visual }) => {
      const [batch, tokens] = hidden.shape as [number, number];
      return where(reshape(visual!, [batch, tokens, 1]), mul(hidden, layer + 2), hidden);
    },
  };
  const stepHooks: DecoderHooks = { beforeAttention: (hidden, { layer }) => mul(hidden, 1 - 0.2 * layer) };
  const prompt = { inputIds, attentionMask, visualMask };
  const drive = async (session: DecoderSession) => [
    await session.step(Int32Array.of(1, 2, 3)),
    await session.step(Int32Array.of(4, 5, 6)),
  ];
  const last = async (session: DecoderSession) => {
    await session.prefill(prompt);
    const steps = await drive(session);
    return [...(await steps[1]!.values())];
  };
  const cached = await last(cachedSession(model, { capacity: 8, hooks, stepHooks }));
  const uncached = await last(uncachedSession(model, { hooks, stepHooks }));
  const plain = await last(uncachedSession(model));
  expectClose([cached], [uncached]);
  expect(Math.max(...cached.map((value, index) => Math.abs(value - plain[index]!)))).toBeGreaterThan(0.1);
});

it('refuses what it cannot read', async () => {
  const session = cachedSession(model, { capacity: 1 });
  await expect(session.step(Int32Array.of(1))).rejects.toThrow(ConfigError);
  await session.prefill({ inputIds: ids([[1, 2]]) });
  await session.step(Int32Array.of(1));
  await expect(session.step(Int32Array.of(1))).rejects.toThrow('at most 1 tokens beyond the prompt');
  const right = { inputIds: ids([[1, 0]]), attentionMask: ids([[1, 0]]) };
  await expect(cachedSession(model, { capacity: 1, hooks: {} }).prefill(right)).rejects.toThrow(
    'Pad prompts on the left',
  );
  const uncached = uncachedSession(model);
  await uncached.prefill({ inputIds: ids([[1, 2]]) });
  await expect(uncached.step(Int32Array.of(1, 2))).rejects.toThrow('a token for each of 1 rows');
});
