import { ConfigError, closeEngine, ShapeError, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { contextLength, generate, leftPad } from '../../src/index.js';
import { ids, smallModel } from '../support.js';

afterAll(closeEngine);

describe('what generate refuses', () => {
  const model = smallModel({ maxPositionEmbeddings: 16 });
  const inputIds = ids([[1, 2]]);
  const refused = async (options: object, ...texts: string[]) => {
    const error: unknown = await generate(model, { inputIds, maxNewTokens: 1, ...options }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    for (const text of texts) expect((error as Error).message).toContain(text);
  };

  it('settings that are wrong, or that nobody knows', async () => {
    await refused({ maxNewTokens: 0 }, 'maxNewTokens');
    await refused({ temprature: 1 }, 'unknown key "temprature"');
    await refused({ doSample: true, temperature: 0 }, 'temperature', 'doSample: false');
    await refused({ numReturnSequences: 2 }, 'numReturnSequences', 'doSample');
    await refused({ numBeams: 2, numReturnSequences: 3 }, 'numReturnSequences');
    await refused({ topP: 1.5 }, 'topP');
    await refused({ stopStrings: ['x'] }, 'decode');
    await refused({ maxNewTokens: undefined, maxLength: 2 }, 'maxLength 2', 'maxNewTokens');
  });

  it('tokens that the model does not have', async () => {
    await refused({ eosTokenId: 31 }, 'below the vocabulary');
    await refused({ suppressTokens: [2, 99] }, '99');
    await refused(
      {
        inputIds: ids([
          [1, 2],
          [3, 31],
        ]),
      },
      '31 at place 1 of row 1',
      'tokenizer',
    );
    await refused({ inputIds: ids([[1, -200]]) }, '-200 at place 1 of row 0');
  });

  it('prompts that are none', async () => {
    await refused({ inputIds: undefined }, 'received neither');
    await refused({ inputIds: tensor(new Int32Array(0), [0, 4]) }, '0 prompts of 4 tokens');
    await refused({ inputIds: tensor(new Int32Array(0), [2, 0]) }, '2 prompts of 0 tokens');
    expect(() => leftPad([[1], []], 0)).toThrow('an empty prompt at index 1');
    expect(() => leftPad([], 0)).toThrow('no prompt');
  });

  it('masks that do not fit', async () => {
    await refused({ attentionMask: ids([[0, 0]]) }, 'no token in row 0');
    await refused({ attentionMask: tensor([[0, -1e9]]) }, '-1000000000 in row 0');
    const shape = generate(model, { inputIds, attentionMask: ids([[1, 1, 1]]), maxNewTokens: 1 });
    await expect(shape).rejects.toBeInstanceOf(ShapeError);
  });

  it('prompts and answers longer than the model has positions', async () => {
    const tokens = (count: number) => ids([Array.from({ length: count }, () => 1)]);
    expect((await generate(model, { inputIds: tokens(10), maxNewTokens: 6 }))[0]!.tokens.length).toBe(6);
    await refused(
      { inputIds: tokens(10), maxNewTokens: 7 },
      '16 positions',
      'a prompt of 10 tokens',
      'at most 6 new tokens',
    );
    await refused({ inputIds: tokens(17) }, 'a prompt of 17 tokens (row 0)', 'Shorten the prompt');
    // Padding takes no positions.
    const padded = leftPad([[1, 2, 3], Array.from({ length: 12 }, () => 1)], 0);
    expect((await generate(model, { ...padded, maxNewTokens: 4 }))[0]!.tokens.length).toBe(4);
    const stretched = smallModel({ maxPositionEmbeddings: 16, ropeScaling: { type: 'linear', factor: 2 } });
    expect(contextLength(stretched.config)).toBe(32);
    expect((await generate(stretched, { inputIds: tokens(30), maxNewTokens: 2 }))[0]!.tokens.length).toBe(2);
  });
});
