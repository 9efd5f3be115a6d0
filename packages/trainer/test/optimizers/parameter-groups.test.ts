import { ConfigError, matchesName } from '@ocelli/core-tensor';
import { describe, expect, test } from 'vitest';
import { namePattern, parameterGroups, parameterSettings, undecayedByDefault } from '../../src/index.js';
import { Mlp } from '../support/toy.js';

describe('namePattern', () => {
  test.each([
    ['layers.0', 'layers.0.weight', true],
    ['layers.0', 'layers.01.weight', false],
    ['layers.*.bias', 'layers.3.attention.bias', true],
    ['layers.*', 'model.layers.0', false],
    ['*norm*', 'blocks.1.norm2.weight', true],
    ['*.bias', 'bias', false],
    ['*', 'anything.at.all', true],
    ['a.b*', 'aXb', false],
    ['*.fc', 'block.fc.weight', true],
    ['*.fc', 'block.fc1.weight', false],
  ])('%s against %s: %s', (pattern, name, expected) => {
    expect(matchesName(name, namePattern(pattern))).toBe(expected);
  });
});

describe('parameterGroups', () => {
  const model = new Mlp();

  test('decays all but biases and norms, as the transformers trainer does', () => {
    expect([...undecayedByDefault(model)].sort()).toEqual(['down.bias', 'norm.bias', 'norm.weight', 'up.bias']);
    const groups = parameterGroups(model, { learningRate: 1e-3, weightDecay: 0.1 });
    expect(
      groups.map(({ parameters, weightDecay, learningRateMultiplier }) => [
        Object.keys(parameters),
        weightDecay,
        learningRateMultiplier,
      ]),
    ).toEqual([
      [['up.weight', 'down.weight'], 0.1, 1],
      [['up.bias', 'norm.weight', 'norm.bias', 'down.bias'], 0, 1],
    ]);
  });

  test('leaves out frozen parameters', () => {
    const frozen = new Mlp().freeze('up', 'norm');
    const groups = parameterGroups(frozen, { learningRate: 1 });
    expect(groups.flatMap(({ parameters }) => Object.keys(parameters))).toEqual(['down.weight', 'down.bias']);
  });

  test('lets the first group that says something decide', () => {
    const settings = parameterSettings(['vision.a', 'vision.bias', 'head.a'], {
      learningRate: 1e-3,
      weightDecay: 0.2,
      noDecay: ['*bias'],
      groups: [
        { parameters: ['vision'], learningRate: 2e-4 },
        { parameters: ['*'], learningRateMultiplier: 7, weightDecay: 0.5 },
      ],
    });
    expect(settings.get('vision.a')!.learningRateMultiplier).toBeCloseTo(0.2, 12);
    expect(settings.get('vision.bias')!.weightDecay).toBe(0.5);
    expect(settings.get('head.a')).toEqual({ learningRateMultiplier: 7, weightDecay: 0.5 });
  });

  test('refuses a group that matches nothing', () => {
    const groups = [{ parameters: ['projector'], learningRate: 1 }];
    expect(() => parameterGroups(model, { learningRate: 1, groups })).toThrow(ConfigError);
    expect(() => parameterGroups(model, { learningRate: 1, groups })).toThrow(/projector, which matches none/);
  });
});
