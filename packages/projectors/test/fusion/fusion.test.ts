import {
  ConfigError,
  closeEngine,
  compile,
  type Module,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest';
import {
  alignSlowPath,
  type ChannelConcat,
  createFusion,
  createProjector,
  type Fusion,
  type FusionConfigInput,
  featurePyramid,
  fusions,
  llavaProjectorConfig,
  MixtureOfResolutionAdapter,
  mapToTokens,
  resizeFeatureMap,
  tokensToMap,
} from '../../src/index.js';
import { normalTensor } from '../support.js';

const configs = {
  'channel-concat': { type: 'channel-concat', widths: [8, 6], grid: 4 },
  'sequence-append': { type: 'sequence-append', widths: [8, 6], outputWidth: 10, grid: 4 },
  'llava-hr': { type: 'llava-hr', widths: [8, 6] },
  'mini-gemini': { type: 'mini-gemini', widths: [8, 6] },
  deformable: { type: 'deformable', widths: [8, 6], numAttentionHeads: 2 },
} as const satisfies Record<keyof typeof fusions, FusionConfigInput>;

const maps = () => [normalTensor(2, 8, 2, 2), normalTensor(2, 6, 4, 4)];

async function numbers(x: Tensor): Promise<number[]> {
  return [...((await x.data()) as Float32Array)];
}

function millions(...modules: Module[]): number {
  return modules.reduce((total, module) => total + module.parameterCount(), 0) / 1e6;
}

afterAll(closeEngine);

describe.each(Object.values(configs))('$type', (config) => {
  it('is made of its configuration, and of the JSON of that', () => {
    const fusion: Fusion = createFusion(config);
    const { defaults } = fusions[config.type];
    expect(fusion.config).toEqual({ ...defaults, ...config });
    expect(createFusion(JSON.parse(JSON.stringify(fusion.config)) as FusionConfigInput).config).toEqual(fusion.config);
  });

  it('makes the tokens that it says it makes, of maps or of tokens', async () => {
    const fusion: Fusion = createFusion(config).initialize(0);
    const [rows, columns] = fusion.grid([
      [2, 2],
      [4, 4],
    ]);
    const tokens = fusion.fuse(maps());
    expect(tokens.shape).toEqual([2, rows * columns, fusion.width]);
    expect(await numbers(fusion.fuse(maps().map(mapToTokens)))).toEqual(await numbers(tokens));
  });

  it('has gradients for all of its weights', async () => {
    const fusion: Fusion = createFusion(config).initialize(0);
    const parameters = fusion.trainableParameters();
    const loss = () => sum(fusion.fuse(maps()));
    const { grads } = await compile(() => valueAndGrad(loss, parameters))();
    expect(Object.keys(grads)).toEqual(Object.keys(parameters));
  });

  it('refuses maps of other widths, numbers and batches', () => {
    const fusion: Fusion = createFusion(config);
    for (const wrong of [[], maps().slice(1), [...maps()].reverse(), [normalTensor(1, 8, 2, 2), maps()[1]!]]) {
      expect(() => fusion.fuse(wrong)).toThrow(ShapeError);
      expect(() => fusion.fuse(wrong)).toThrow('of widths 8, 6');
    }
    expect(() => fusion.fuse([normalTensor(2, 5, 8), maps()[1]!])).toThrow(ShapeError);
  });
});

describe('createFusion', () => {
  it('makes the class that the type names', () => {
    expectTypeOf(createFusion(configs['channel-concat'])).toEqualTypeOf<ChannelConcat>();
  });

  it.each([
    [{ type: 'sum', widths: [8] }, 'channel-concat, sequence-append, llava-hr, mini-gemini, deformable'],
    [{ type: 'channel-concat', widths: [] }, 'widths'],
    [{ type: 'channel-concat', widths: [8], gird: 4 }, '"gird"'],
    [{ type: 'sequence-append', widths: [8] }, 'outputWidth'],
    [{ type: 'llava-hr', widths: [8, 6, 4] }, 'widths'],
    [{ type: 'mini-gemini', widths: [8] }, 'widths'],
    [{ type: 'deformable', widths: [8] }, 'widths: must have a map that is looked at'],
    [{ type: 'deformable', widths: [9, 6] }, 'numAttentionHeads: must divide the first of widths'],
  ])('names what is wrong with %j', (config, message) => {
    expect(() => createFusion(config as FusionConfigInput)).toThrow(ConfigError);
    expect(() => createFusion(config as FusionConfigInput)).toThrow(message);
  });
});

describe('the figures of Eagle', () => {
  const projector = (visionWidth: number) =>
    createProjector(llavaProjectorConfig('mlp2x_gelu', { visionWidth, languageWidth: 4096 }));

  it('are those of CLIP and ConvNeXt-XXL fused for a language model of width 4096, without the encoders', () => {
    const widths = [1024, 3072] as const;
    const concat = createFusion({ type: 'channel-concat', widths });
    expect(millions(concat, projector(concat.width))).toBeCloseTo(33.56, 2);
    expect(millions(createFusion({ type: 'sequence-append', widths, outputWidth: 4096 }))).toBeCloseTo(50.35, 2);
    expect(millions(new MixtureOfResolutionAdapter(1024, 3072))).toBeCloseTo(14.74, 2);
    const paths = createFusion({ type: 'llava-hr', widths });
    expect(millions(paths)).toBeCloseTo(4.2, 2);
    expect(millions(projector(paths.width))).toBeCloseTo(20.98, 2);
    expect(createFusion({ type: 'channel-concat', widths: [1024, 3072, 1024, 1024, 1536] }).width).toBe(7680);
    // Table 4 has 1201 M with the encoders' 1149.98 M, which is what mining at the high map's width makes.
    const mining = createFusion({ type: 'mini-gemini', widths, miningWidth: 3072 });
    expect(1149.98 + millions(mining, projector(mining.width))).toBeCloseTo(1201.4, 1);
  });
});

describe('channel concatenation', () => {
  it('enlarges maps bilinearly with their corners in place, and leaves those of its size alone', async () => {
    const [small, large] = [
      tensor(Float32Array.of(0, 3, 6, 9), [1, 1, 2, 2]),
      tensor(
        Float32Array.from({ length: 16 }, (_, cell) => cell),
        [1, 1, 4, 4],
      ),
    ];
    const tokens = createFusion({ type: 'channel-concat', widths: [1, 1], grid: 4 }).fuse([small, large]);
    const values = await numbers(tokens);
    const enlarged = [0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7, 8, 9];
    enlarged.forEach((value, cell) => {
      expect(values[2 * cell]).toBeCloseTo(value, 5);
      expect(values[2 * cell + 1]).toBe(cell);
    });
  });

  it('takes the grid of the first map where none is given, also one that is no square', () => {
    const fusion = createFusion({ type: 'channel-concat', widths: [8, 6], grid: null });
    expect(fusion.fuse([normalTensor(1, 8, 2, 3), normalTensor(1, 6, 4, 4)]).shape).toEqual([1, 6, 14]);
  });
});

describe('sequence append', () => {
  it('says how tokens stand below one another', () => {
    const fusion = createFusion({ ...configs['sequence-append'], grid: null });
    expect(fusion.grid([[2, 3], [4, 3]])).toEqual([6, 3]); // biome-ignore format: short
    expect(fusion.grid([[2, 2], [3, 3]])).toEqual([13, 1]); // biome-ignore format: short
  });
});

describe('the windows of Mini-Gemini', () => {
  it('show a token its own cells only', async () => {
    const fusion = createFusion(configs['mini-gemini']).initialize(0);
    const [low, high] = [normalTensor(1, 8, 2, 2), normalTensor(1, 6, 4, 6)];
    const values = Float32Array.from((await high.data()) as Float32Array);
    // Row 1, column 4 of every channel: the window of the second token.
    for (let channel = 0; channel < 6; channel++) values[channel * 24 + 6 + 4]! += channel - 1;
    const before = await numbers(fusion.fuse([low, high]));
    const after = await numbers(fusion.fuse([low, tensor(values, [1, 6, 4, 6])]));
    const changed = [0, 1, 2, 3].filter(
      (token) => before.slice(8 * token, 8 * token + 8).join() !== after.slice(8 * token, 8 * token + 8).join(),
    );
    expect(changed).toEqual([1]);
  });

  it('are mined at another width, onto the queries', async () => {
    const fusion = createFusion({ ...configs['mini-gemini'], miningWidth: 5 }).initialize(0);
    const [low, high] = maps() as [Tensor, Tensor];
    const tokens = fusion.fuse([low, high]);
    expect([fusion.width, tokens.shape]).toEqual([5, [2, 4, 5]]);
    const queries = await numbers(fusion.vlm_uni_query_projector.forward(mapToTokens(low)));
    const mined = await numbers(fusion.mine([low, high]));
    (await numbers(tokens)).forEach((value, index) => {
      expect(value).toBeCloseTo(queries[index]! + mined[index]!, 5);
    });
  });

  it('are whole numbers of cells', () => {
    const fusion = createFusion(configs['mini-gemini']);
    expect(() => fusion.fuse([normalTensor(1, 8, 2, 2), normalTensor(1, 6, 5, 4)])).toThrow(
      'a multiple of 2 × 2 cells, received 5 × 4',
    );
  });
});

describe('deformable fusion', () => {
  it('looks at maps of any sizes, several at once', () => {
    const fusion = createFusion({ type: 'deformable', widths: [8, 6, 4], numAttentionHeads: 2 });
    const tokens = fusion.fuse([normalTensor(1, 8, 3, 2), normalTensor(1, 6, 5, 4), normalTensor(1, 4, 7, 7)]);
    expect(tokens.shape).toEqual([1, 6, 8]);
  });

  it('trains where it looks from its first step on', async () => {
    const fusion = createFusion(configs.deformable).initialize(0);
    const { grads } = await compile(() => {
      const parameters = { bias: fusion.attention.sampling_offsets.bias! };
      return valueAndGrad(() => sum(fusion.fuse(maps()), { axes: [0, 1, 2] }), parameters);
    })();
    const largest = (await numbers(grads.bias!)).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(1e-3);
  });
});

describe('LLaVA-HR', () => {
  it('has adapters that change nothing at first', async () => {
    const adapter = new MixtureOfResolutionAdapter(8, 6).initialize(0);
    const fast = normalTensor(1, 4, 8);
    expect(await numbers(adapter.forward(fast, normalTensor(1, 6, 4, 4)))).toEqual(await numbers(fast));
  });

  it('averages a larger slow map, enlarges a smaller one, and refuses what does not divide', async () => {
    const slow = tensor(Float32Array.of(1, 3, 5, 7, 9, 11, 13, 15), [1, 1, 2, 4]);
    expect(await numbers(alignSlowPath(slow, [1, 2]))).toEqual([6, 10]);
    expect(alignSlowPath(slow, [4, 8]).shape).toEqual([1, 1, 4, 8]);
    expect(alignSlowPath(slow, [2, 4])).toBe(slow);
    expect(() => alignSlowPath(slow, [2, 3])).toThrow('divide, or are divided by, 2 × 3, received 2 × 4');
  });
});

describe('feature maps', () => {
  it('become tokens row by row, and maps again', async () => {
    const map = normalTensor(1, 3, 2, 4);
    const values = await numbers(map);
    const tokens = await numbers(mapToTokens(map));
    expect(tokens.slice(0, 6)).toEqual([0, 8, 16, 1, 9, 17].map((index) => values[index]));
    expect(await numbers(tokensToMap(mapToTokens(map), [2, 4]))).toEqual(values);
    expect(resizeFeatureMap(map, [2, 4])).toBe(map);
  });

  it('of a pyramid get the grid of the first one, with edges in place', async () => {
    const pyramid = featurePyramid([normalTensor(1, 2, 2, 4), tensor(Float32Array.of(1, 5), [1, 1, 1, 2])]);
    expect(pyramid.shape).toEqual([1, 3, 2, 4]);
    expect((await numbers(pyramid)).slice(16)).toEqual([1, 2, 4, 5, 1, 2, 4, 5]);
  });
});
