import { ConfigError, parseConfig } from '@ocelli/core-tensor';
import { describe, expect, test } from 'vitest';
import { trainConfigSchema } from '../../src/index.js';

const stage = { name: 'fit', trainable: ['*'], learningRate: 1e-3, steps: 10 };
const parse = (value: unknown) => parseConfig('train', trainConfigSchema, value);

describe('the config of a run', () => {
  test('fills in the defaults', () => {
    expect(parse({ stages: [stage] })).toEqual({
      seed: 0,
      stages: [
        {
          ...stage,
          groups: [],
          schedule: { name: 'constant' },
          accumulation: 1,
          clip: 1,
          weightDecay: 0,
          optimizer: { rule: 'torch', betas: [0.9, 0.999], epsilon: 1e-8 },
          precision: 'float32',
        },
      ],
    });
  });

  test('survives JSON', () => {
    const parsed = parse({ stages: [{ ...stage, schedule: { name: 'cosine', warmupRatio: 0.03 }, clip: null }] });
    expect(parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
  });

  test.each([
    [{ stages: [{ ...stage, learning_rate: 1 }] }, /unknown key "stages\.0\.learning_rate"/],
    [{ stages: [stage], epochs: 1 }, /unknown key "epochs"/],
    [{ stages: [{ ...stage, schedule: { name: 'cosine', peak: 1 } }] }, /unknown key "stages\.0\.schedule\.peak"/],
    [{ stages: [{ ...stage, steps: 0 }] }, /stages\.0\.steps: .*\(received 0\)/],
    [{ stages: [{ ...stage, precision: 'bfloat16' }] }, /stages\.0\.precision: .*\(received "bfloat16"\)/],
    [{ stages: [{ ...stage, learningRate: undefined }] }, /stages\.0\.learningRate: .*received undefined/],
    [{ stages: [stage, stage] }, /different names/],
    [
      { stages: [{ ...stage, groups: [{ parameters: ['a'], learningRate: 1, learningRateMultiplier: 2 }] }] },
      /exclude each other/,
    ],
    ['stages', /expected object, received string/],
  ])('refuses %j', (value, message) => {
    expect(() => parse(value)).toThrow(ConfigError);
    expect(() => parse(value)).toThrow(message);
  });
});
