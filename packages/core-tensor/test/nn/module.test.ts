import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CheckpointError,
  ConfigError,
  closeEngine,
  initializers,
  Linear,
  Module,
  matchesName,
  Parameter,
  type StateEntry,
  useEngine,
} from '../../src/index.js';

beforeAll(async () => {
  await useEngine('reference');
});
afterAll(async () => {
  await closeEngine();
});

class Block extends Module {
  readonly attention = { q: new Linear(2, 2, { bias: false }), k: new Linear(2, 2, { bias: false }) };
  readonly mlp = [new Linear(2, 3), new Linear(3, 2)] as const;
  readonly scale = new Parameter([2], { initializer: initializers.ones });
  readonly dropRate = 0.1;
}

class Model extends Module {
  readonly embedding = new Parameter([5, 2], { initializer: initializers.normal(0, 1) });
  readonly blocks = [new Block(), new Block()];
  readonly runningMean = new Parameter([2], { trainable: false });
  readonly head: Linear;

  constructor() {
    super();
    this.head = new Linear(2, 5, { bias: false, initializer: initializers.normal(0, 1) });
  }
}

const block = (path: string) =>
  ['attention.q.weight', 'attention.k.weight', 'mlp.0.weight', 'mlp.0.bias', 'mlp.1.weight', 'mlp.1.bias', 'scale'].map(
    (name) => `${path}.${name}`,
  );
const names = ['embedding', ...block('blocks.0'), ...block('blocks.1'), 'runningMean', 'head.weight'];

async function valuesOf(module: Module): Promise<Record<string, number[]>> {
  const state = await module.state();
  return Object.fromEntries(Object.entries(state).map(([name, { data }]) => [name, Array.from(data, Number)]));
}

describe('names', () => {
  test('are paths through fields, arrays and records, in the order of the fields', () => {
    expect(Object.keys(new Model().namedParameters())).toEqual(names);
  });

  test('of a tied parameter or module are the first path that leads there', () => {
    class Tied extends Module {
      readonly inner = new Linear(2, 2);
      readonly again = [this.inner];
      readonly weight = this.inner.weight;
      readonly other = new Parameter([1]);
    }
    const tied = new Tied();
    expect(Object.keys(tied.namedParameters())).toEqual(['inner.weight', 'inner.bias', 'other']);
    expect(tied.parameterCount()).toBe(4 + 2 + 1);
  });

  test('match whole leading parts of a path, or an expression', () => {
    expect(matchesName('blocks.1.scale', 'blocks.1')).toBe(true);
    expect(matchesName('blocks.1.scale', 'blocks.1.scale')).toBe(true);
    expect(matchesName('blocks.10.scale', 'blocks.1')).toBe(false);
    expect(matchesName('blocks.1.scale', 'scale')).toBe(false);
    const everywhere = /scale$/g;
    expect([1, 2, 3].map(() => matchesName('blocks.1.scale', everywhere))).toEqual([true, true, true]);
  });
});

test('counting the parameters of a model of any size takes no memory', () => {
  const model = new Linear(2 ** 20, 2 ** 20);
  expect(model.parameterCount()).toBe(2 ** 40 + 2 ** 20);
  expect(model.floatWeight.isMaterialized).toBe(false);
});

describe('freezing', () => {
  const trainable = (model: Module) => Object.keys(model.trainableParameters());

  test('takes everything but what never trains out and in again', () => {
    const model = new Model();
    expect(trainable(model)).toEqual(names.filter((name) => name !== 'runningMean'));
    expect(trainable(model.freeze())).toEqual([]);
    expect(trainable(model.unfreeze())).toEqual(names.filter((name) => name !== 'runningMean'));
  });

  test('chooses by leading path or by expression', () => {
    const model = new Model().freeze();
    expect(trainable(model.unfreeze('blocks.1', 'head'))).toEqual([...block('blocks.1'), 'head.weight']);
    expect(trainable(model.freeze(/bias$/))).toEqual([
      ...block('blocks.1').filter((name) => !name.endsWith('bias')),
      'head.weight',
    ]);
  });

  test('never trains state, not even by name', () => {
    const model = new Model().freeze().unfreeze('runningMean');
    expect(trainable(model)).toEqual([]);
    expect(Object.keys(model.namedParameters())).toContain('runningMean');
  });

  test('refuses a pattern that matches nothing, and changes nothing then', () => {
    const model = new Model();
    const failure = (() => {
      try {
        return model.freeze('blocks', 'visionTower');
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as Error).message).toBe(
      'freeze: expected a pattern that matches a parameter, received visionTower. ' +
        'The first parameters are embedding, blocks.0.attention.q.weight, blocks.0.attention.k.weight, blocks.0.mlp.0.weight, blocks.0.mlp.0.bias.',
    );
    expect(trainable(model)).toHaveLength(names.length - 1);
    expect(() => model.unfreeze(/nothing/)).toThrow(
      'unfreeze: expected a pattern that matches a parameter, received /nothing/',
    );
  });
});

describe('initialize', () => {
  test('gives the same values for the same seed, others for another', async () => {
    const first = await valuesOf(new Model().initialize(3));
    expect(await valuesOf(new Model().initialize(3))).toEqual(first);
    const other = await valuesOf(new Model().initialize(4));
    expect(other.embedding).not.toEqual(first.embedding);
    expect(other['blocks.0.scale']).toEqual([1, 1]);
    expect(first['blocks.0.mlp.0.weight']).not.toEqual(first['blocks.1.mlp.0.weight']);
  });

  test('draws by path alone, whatever was constructed before or stands beside', async () => {
    class Reordered extends Module {
      readonly head = new Linear(2, 5, { bias: false, initializer: initializers.normal(0, 1) });
      readonly extra = new Linear(7, 7);
      readonly blocks = [new Block()];
    }
    const values = await valuesOf(new Model().initialize(3));
    const reordered = await valuesOf(new Reordered().initialize(3));
    expect(reordered['head.weight']).toEqual(values['head.weight']);
    expect(reordered['blocks.0.mlp.0.weight']).toEqual(values['blocks.0.mlp.0.weight']);
  });

  test('draws anew what was loaded', async () => {
    const layer = new Linear(2, 2).initialize(1);
    const drawn = await valuesOf(layer);
    layer.floatWeight.set(new Float32Array(4));
    expect((await valuesOf(layer)).weight).toEqual([0, 0, 0, 0]);
    expect(await valuesOf(layer.initialize(1))).toEqual(drawn);
  });
});

describe('state', () => {
  const layerState = (): Record<string, StateEntry> => ({
    weight: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    bias: { shape: [2], data: Float32Array.of(7, 8) },
  });

  test('round trips, with a tied parameter once', async () => {
    class Tied extends Module {
      readonly table = new Parameter([2, 2], { initializer: initializers.normal(0, 1) });
      readonly head = { weight: this.table };
    }
    const source = new Tied().initialize(1);
    const state = await source.state();
    expect(Object.keys(state)).toEqual(['table']);
    const target = new Tied().initialize(2);
    target.loadState(state);
    expect(await valuesOf(target)).toEqual(await valuesOf(source));
    expect(await target.head.weight.data()).toEqual(await source.table.data());
  });

  test('replaces what a module held', async () => {
    const layer = new Linear(3, 2);
    layer.loadState(layerState());
    expect(await valuesOf(layer)).toEqual({ weight: [1, 2, 3, 4, 5, 6], bias: [7, 8] });
  });

  test('is refused with every missing, unexpected, misshapen and mistyped name, and nothing is loaded then', async () => {
    const module = new Model().initialize(1);
    const before = await valuesOf(module);
    const state: Record<string, StateEntry> = { ...(await module.state()) };
    delete state['head.weight'];
    delete state['blocks.0.scale'];
    state.classifier = { shape: [1], data: Float32Array.of(1) };
    state['extra.bias'] = { shape: [1], data: Float32Array.of(1) };
    state.embedding = { shape: [2, 5], data: new Float32Array(10) };
    state['blocks.1.scale'] = { shape: [3], data: new Float32Array(3) };
    state.runningMean = { shape: [2], data: new Uint16Array(2) };
    const load = () => module.loadState(state);
    expect(load).toThrow(CheckpointError);
    expect(load).toThrow(
      'load into Model: expected one tensor per parameter, of its shape and dtype, received ' +
        'missing: blocks.0.scale, head.weight | unexpected: classifier, extra.bias | ' +
        'of another shape: embedding: [2, 5] instead of [5, 2]; blocks.1.scale: [3] instead of [2] | ' +
        'of another dtype: runningMean: Uint16Array instead of float32. ' +
        'Check that the checkpoint belongs to this configuration.',
    );
    expect(await valuesOf(module)).toEqual(before);
  });

  test('may lack and exceed names where that is asked for, but no shape may differ', async () => {
    const layer = new Linear(3, 2).initialize(1);
    const { weight } = await valuesOf(layer);
    const { bias } = layerState();
    layer.loadState({ bias: bias!, other: bias! }, { strict: false });
    expect(await valuesOf(layer)).toEqual({ weight, bias: [7, 8] });
    expect(() => layer.loadState({ bias: { shape: [1], data: new Float32Array(1) } }, { strict: false })).toThrow(
      /received of another shape: bias: \[1\] instead of \[2\]/,
    );
  });
});
