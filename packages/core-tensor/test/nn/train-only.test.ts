import { describe, expect, it } from 'vitest';
import { ConfigError, Linear, Module, Parameter, trainOnly } from '../../src/index.js';

class Model extends Module {
  readonly towers = [new Linear(2, 2), new Linear(2, 2)];
  readonly head = new Linear(2, 3);
  readonly count = new Parameter([1], { trainable: false });
}

const names = (...wanted: Parameters<typeof trainOnly>[1][]) => {
  const model = new Model();
  return wanted.map((each) => Object.keys(trainOnly(model, each)));
};

describe('trainOnly', () => {
  it('trains what is named but what is excepted, whatever was trained before', () => {
    const [towers, weights, all, one] = names(
      { trainable: ['towers'], frozen: ['towers.0'] },
      { trainable: ['*.weight'] },
      { trainable: ['*'], frozen: ['*.bias', 'head'] },
      { trainable: ['head.bias'] },
    );
    expect(towers).toEqual(['towers.1.weight', 'towers.1.bias']);
    expect(weights).toEqual(['towers.0.weight', 'towers.1.weight', 'head.weight']);
    expect(all).toEqual(['towers.0.weight', 'towers.1.weight']);
    expect(one).toEqual(['head.bias']);
  });

  it('trains nothing where nothing is named', () => {
    expect(names({ trainable: [], frozen: [] })).toEqual([[]]);
  });

  it('refuses patterns that match nothing', () => {
    expect(() => names({ trainable: ['tower'] })).toThrow(ConfigError);
    expect(() => names({ trainable: ['*'], frozen: ['towers.2'] })).toThrow(/freeze: .*towers\.2/);
  });
});
