import { ConfigError, closeEngine } from '@ocelli/core-tensor';
import { afterAll, expect, it } from 'vitest';
import { decodeRows } from '../../src/generation/decode-rows.js';
import { planGeneration } from '../../src/generation/plan.js';
import { type GeneratedToken, type GenerateStreamOptions, generate, generateStream, leftPad } from '../../src/index.js';
import { ids, smallModel } from '../support.js';
import { scriptedSession } from './support.js';

afterAll(closeEngine);

const model = smallModel();
const prompts = [
  [1, 5, 9, 2, 7],
  [3, 4],
];
const decode = (tokens: readonly number[]) => tokens.map((token) => String.fromCharCode(97 + token)).join('');

async function collect(options: GenerateStreamOptions): Promise<GeneratedToken[]> {
  const events: GeneratedToken[] = [];
  for await (const event of generateStream(model, options)) events.push(event);
  return events;
}

it('gives the tokens and texts that generate returns, step by step', async () => {
  const free = await generate(model, { ...leftPad(prompts, 0), maxNewTokens: 9 });
  const options = {
    ...leftPad(prompts, 0),
    maxNewTokens: 9,
    eosTokenId: free[0]!.tokens.filter((token) => !free[1]!.tokens.includes(token)).at(-1)!,
    stopStrings: decode(free[1]!.tokens.slice(5, 7)),
    decode,
  };
  const rows = await generate(model, options);
  const events = await collect(options);
  rows.forEach(({ tokens, text, finishReason }, index) => {
    const own = events.filter(({ row }) => row === index);
    expect(own.map(({ token }) => token)).toEqual(tokens);
    expect(own.map((event) => event.text).join('')).toBe(text);
    expect(own.map((event) => event.finishReason)).toEqual([...tokens.slice(1).map(() => undefined), finishReason]);
  });
  expect(events.slice(0, 4).map(({ row }) => row)).toEqual([0, 1, 0, 1]);
  expect(new Set(rows.map(({ finishReason }) => finishReason))).toEqual(new Set(['eos', 'stop']));
});

it('gives no text without a decoder, nor that of an end of sequence', async () => {
  const [row] = await generate(model, { inputIds: ids([prompts[0]!]), maxNewTokens: 4 });
  const options = { inputIds: ids([prompts[0]!]), maxNewTokens: 4, eosTokenId: row!.tokens[0]! };
  expect(await collect(options)).toEqual([{ row: 0, token: row!.tokens[0]!, finishReason: 'eos' }]);
  expect((await collect({ ...options, decode }))[0]!.text).toBe('');
});

it('never gives half a character', async () => {
  // A model that writes the bytes of a text, whatever was read.
  const bytes = [...new TextEncoder().encode('né 😀!')];
  const byteModel = smallModel({ vocabSize: 256 });
  const plan = await planGeneration(byteModel, {
    inputIds: ids([[1]]),
    maxNewTokens: bytes.length,
    decode: (tokens) => new TextDecoder().decode(Uint8Array.from(tokens)),
  });
  const scores = (sequence: readonly number[]) =>
    Array.from({ length: 256 }, (_, id) => Number(id === bytes[sequence.length - 1]));
  const texts: (string | undefined)[] = [];
  for await (const step of decodeRows({ ...plan, openSession: () => scriptedSession([[1]], scores) })) {
    texts.push(...step.map(({ text }) => text));
  }
  expect(texts).toEqual(['n', '', 'é', ' ', '', '', '', '😀', '!']);
});

it('lets go of the session when the loop is left, at the end, and after an error', async () => {
  const uniform = () => Array.from({ length: 31 }, () => 0);
  const open = async (options: Partial<GenerateStreamOptions>) => {
    const plan = await planGeneration(model, { inputIds: ids([[1]]), maxNewTokens: 3, ...options });
    const session = scriptedSession([[1]], uniform);
    return { session, steps: decodeRows({ ...plan, openSession: () => session }) };
  };
  const left = await open({});
  for await (const _ of left.steps) break;
  expect([left.session.isClosed, left.session.read.length]).toEqual([true, 0]);

  const whole = await open({});
  for await (const _ of whole.steps);
  expect([whole.session.isClosed, whole.session.read.length]).toEqual([true, 2]);

  const failing = await open({
    logitsProcessors: [
      () => {
        throw new RangeError('of the caller');
      },
    ],
  });
  await expect(failing.steps.next()).rejects.toThrow('of the caller');
  expect(failing.session.isClosed).toBe(true);
});

it('ends with the reason of a signal, and refuses beams', async () => {
  const controller = new AbortController();
  const options = { inputIds: ids([[1, 2]]), maxNewTokens: 5, signal: controller.signal };
  const seen: number[] = [];
  const read = async () => {
    for await (const { token } of generateStream(model, options)) {
      seen.push(token);
      if (seen.length === 2) controller.abort();
    }
  };
  await expect(read()).rejects.toMatchObject({ name: 'AbortError' });
  expect(seen.length).toBe(2);
  await expect(collect({ inputIds: ids([[1]]), maxNewTokens: 1, numBeams: 2 })).rejects.toThrow(ConfigError);
});
