import { ConfigError, closeEngine, type Module } from '@ocelli/core-tensor';
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest';
import {
  CAbstractor,
  createProjector,
  LinearProjector,
  type ProjectorConfigInput,
  projectors,
  Resampler,
} from '../src/index.js';
import { normalTensor, readJsonFixture } from './support.js';

const widths = { visionWidth: 1024, languageWidth: 4096 } as const;

/** The published sizes, by the fixture's names. */
const published: Record<string, ProjectorConfigInput> = {
  'linear-7B': { type: 'linear', ...widths },
  'mlp2-7B': { type: 'mlp', ...widths },
  'resampler-7B-M144': { type: 'resampler', ...widths, outputTokens: 144 },
  'c-abs-7B-M144': { type: 'c-abstractor', ...widths, inputTokens: 256, outputTokens: 144 },
  'c-abs-13B-M256': {
    type: 'c-abstractor',
    visionWidth: 1024,
    languageWidth: 5120,
    inputTokens: 576,
    outputTokens: 256,
  },
};

interface Sizes {
  readonly projectors: Record<string, { readonly total: number; readonly parameters: Record<string, number[]> }>;
}

interface InitialValues {
  readonly parameters: Record<string, Record<string, { shape: number[]; mean: number; std: number }>>;
}

const small = { visionWidth: 12, languageWidth: 20 } as const;

afterAll(closeEngine);

describe('published sizes', () => {
  const sizes = readJsonFixture('honeybee/parameters_full_size.json') as Sizes;

  it.each(Object.entries(published))('%s has the keys and shapes of the official module', (name, config) => {
    const projector = createProjector(config) as Module;
    const shapes = Object.entries(projector.namedParameters()).map(([key, { shape }]) => [key, shape]);
    expect(Object.fromEntries(shapes)).toEqual(sizes.projectors[name]!.parameters);
    expect(projector.parameterCount()).toBe(sizes.projectors[name]!.total);
  });
});

describe('first values', () => {
  const initial = readJsonFixture('honeybee/initial_values.json') as InitialValues;

  it.each([
    [
      'c-abs',
      { type: 'c-abstractor', visionWidth: 64, languageWidth: 128, inputTokens: 256, depth: 1, hiddenSize: 64 },
    ],
    [
      'resampler',
      {
        type: 'resampler',
        visionWidth: 64,
        languageWidth: 128,
        inputTokens: 256,
        outputTokens: 144,
        positionEmbedding: true,
        hiddenSize: 64,
        numHiddenLayers: 1,
        numAttentionHeads: 4,
        intermediateSize: 128,
      },
    ],
  ] as const)('%s starts as the official module', async (name, config) => {
    const parameters = createProjector(config).initialize(0).namedParameters();
    const expected = initial.parameters[name]!;
    expect(Object.keys(parameters).sort()).toEqual(Object.keys(expected).sort());
    for (const [key, { shape, mean, std }] of Object.entries(expected)) {
      expect(parameters[key]!.shape).toEqual(shape);
      const values = (await parameters[key]!.data()) as Float32Array;
      const average = values.reduce((sum, value) => sum + value, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length);
      // Five deviations of a sample's mean and of its deviation, both samples being random.
      const slack = (5 * Math.SQRT2 * 0.02) / Math.sqrt(values.length) + 1e-4;
      expect(Math.abs(average - mean), key).toBeLessThan(std === 0 ? 1e-6 : slack);
      expect(Math.abs(deviation - std), key).toBeLessThan(std === 0 ? 1e-6 : slack);
    }
  });
});

describe('createProjector', () => {
  it('makes the class that the type names', () => {
    const projector = createProjector({ type: 'resampler', ...small });
    expectTypeOf(projector).toEqualTypeOf<Resampler>();
    expect(projector).toBeInstanceOf(Resampler);
    expect(createProjector({ type: 'linear', ...small })).toBeInstanceOf(LinearProjector);
    expect(createProjector({ type: 'c-abstractor', ...small, inputTokens: 16 })).toBeInstanceOf(CAbstractor);
  });

  it('fills in the defaults that the registry lists', () => {
    for (const [type, { defaults }] of Object.entries(projectors)) {
      const config = { type, ...small, inputTokens: 16 } as ProjectorConfigInput;
      expect(createProjector(config).config).toEqual({ ...defaults, ...config });
    }
  });

  it('rebuilds a projector from the JSON of its configuration', () => {
    const { config } = createProjector({ type: 'c-abstractor', ...small, inputTokens: 16, outputTokens: 9 });
    expect(createProjector(JSON.parse(JSON.stringify(config))).config).toEqual(config);
  });

  it('lists the known types for an unknown one', () => {
    const wrong = () => createProjector({ type: 'q-former', ...small } as unknown as ProjectorConfigInput);
    expect(wrong).toThrow(ConfigError);
    expect(wrong).toThrow('linear, mlp, resampler, c-abstractor');
    expect(wrong).toThrow('"q-former"');
  });

  it.each([
    [{ type: 'mlp', ...small, depht: 2 }, '"depht"'],
    [{ type: 'mlp', visionWidth: 12 }, 'languageWidth'],
    [{ type: 'linear', ...small, positionEmbedding: true }, 'inputTokens: is needed for a position table'],
    [{ type: 'c-abstractor', ...small, inputTokens: 16, outputTokens: 10 }, 'outputTokens: must be a square number'],
    [{ type: 'c-abstractor', ...small, inputTokens: 17 }, 'inputTokens: must be a square number'],
    [{ type: 'resampler', ...small, numAttentionHeads: 3 }, 'numAttentionHeads: must divide hiddenSize'],
  ])('names what is wrong with %j', (config, message) => {
    expect(() => createProjector(config as ProjectorConfigInput)).toThrow(message);
  });

  it('counts tokens as forward makes them', () => {
    const others = { ...small, inputTokens: 16, endTokens: 2, hiddenSize: 16, depth: 1 };
    const configs: ProjectorConfigInput[] = [
      { type: 'linear', ...small, endTokens: 1 },
      { type: 'mlp', ...small },
      { type: 'c-abstractor', ...others, outputTokens: 9 },
      { type: 'resampler', ...small, endTokens: 3, hiddenSize: 16, numAttentionHeads: 2, intermediateSize: 24 },
    ];
    const tokens = configs.map((config) => {
      const projector = createProjector(config);
      const output = projector.forward(normalTensor(3, 16, 12));
      expect(output.shape).toEqual([3, projector.tokens(16), 20]);
      return projector.tokens(16);
    });
    expect(tokens).toEqual([17, 16, 11, 67]);
  });

  it('refuses features of another width or number', () => {
    const linear = createProjector({ type: 'linear', ...small });
    expect(() => linear.forward(normalTensor(2, 9, 13))).toThrow(
      'LinearProjector: expected features [batch, tokens, 12]',
    );
    const abstractor = createProjector({ type: 'c-abstractor', ...small, inputTokens: 16 });
    expect(() => abstractor.forward(normalTensor(2, 17, 12))).toThrow('received [2, 17, 12]');
    const free = createProjector({ type: 'c-abstractor', ...small, positionEmbedding: false });
    expect(() => free.forward(normalTensor(2, 17, 12))).toThrow('grid²');
  });
});
