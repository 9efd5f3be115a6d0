import { ConfigError, closeEngine, type Module } from '@ocelli/core-tensor';
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest';
import {
  CAbstractor,
  createProjector,
  DAbstractor,
  MlpProjector,
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
  'd-abs-7B-M144': { type: 'd-abstractor', ...widths, inputTokens: 256, outputTokens: 144 },
  'd-abs-13B-M256': {
    type: 'd-abstractor',
    visionWidth: 1024,
    languageWidth: 5120,
    inputTokens: 576,
    outputTokens: 256,
  },
};

interface Sizes {
  readonly projectors: Record<string, { readonly total: number; readonly parameters: Record<string, number[]> }>;
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

describe('createProjector', () => {
  it('makes the class that the type names', () => {
    const projector = createProjector({ type: 'resampler', ...small });
    expectTypeOf(projector).toEqualTypeOf<Resampler>();
    expect(projector).toBeInstanceOf(Resampler);
    expect(createProjector({ type: 'linear', ...small })).toBeInstanceOf(MlpProjector);
    expect(createProjector({ type: 'c-abstractor', ...small, inputTokens: 16 })).toBeInstanceOf(CAbstractor);
    expect(createProjector({ type: 'd-abstractor', ...small, inputTokens: 16 })).toBeInstanceOf(DAbstractor);
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
    expect(wrong).toThrow('linear, mlp, resampler, c-abstractor, d-abstractor');
    expect(wrong).toThrow('"q-former"');
  });

  it.each([
    [{ type: 'mlp', ...small, depht: 2 }, '"depht"'],
    [{ type: 'mlp', visionWidth: 12 }, 'languageWidth'],
    [{ type: 'linear', ...small, positionEmbedding: true }, 'inputTokens: is needed for a position table'],
    [{ type: 'c-abstractor', ...small, inputTokens: 16, outputTokens: 10 }, 'outputTokens: must be a square number'],
    [{ type: 'c-abstractor', ...small, inputTokens: 17 }, 'inputTokens: must be a square number'],
    [{ type: 'resampler', ...small, numAttentionHeads: 3 }, 'numAttentionHeads: must divide hiddenSize'],
    [{ type: 'mlp', ...small, depth: 0 }, 'languageWidth: must be visionWidth where depth is 0'],
    [{ type: 'd-abstractor', ...small }, 'inputTokens'],
    [{ type: 'd-abstractor', ...small, inputTokens: 15 }, 'inputTokens: must be a square number'],
    [{ type: 'd-abstractor', ...small, inputTokens: 16, hiddenSize: 12 }, 'numAttentionHeads: must divide hiddenSize'],
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
      {
        type: 'd-abstractor',
        ...small,
        inputTokens: 16,
        outputTokens: 4,
        endTokens: 1,
        hiddenSize: 16,
        numHiddenLayers: 1,
      },
    ];
    const tokens = configs.map((config) => {
      const projector = createProjector(config);
      const output = projector.forward(normalTensor(3, 16, 12));
      expect(output.shape).toEqual([3, projector.tokens(16), 20]);
      return projector.tokens(16);
    });
    expect(tokens).toEqual([17, 16, 11, 67, 5]);
  });

  it('refuses features of another width or number', () => {
    const linear = createProjector({ type: 'linear', ...small });
    expect(() => linear.forward(normalTensor(2, 9, 13))).toThrow('MlpProjector: expected features [batch, tokens, 12]');
    const abstractor = createProjector({ type: 'c-abstractor', ...small, inputTokens: 16 });
    expect(() => abstractor.forward(normalTensor(2, 17, 12))).toThrow('received [2, 17, 12]');
    const free = createProjector({ type: 'c-abstractor', ...small, positionEmbedding: false });
    expect(() => free.forward(normalTensor(2, 17, 12))).toThrow('grid²');
  });
});
