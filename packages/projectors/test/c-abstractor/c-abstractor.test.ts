import { adaptiveAvgPool2d, closeEngine, square, sum, tensor, transpose, valueAndGrad } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { adaptiveAvgPoolChannelsLast } from '../../src/c-abstractor/adaptive-pool.js';
import { CAbstractor, ConvolutionStage, withoutClassPosition } from '../../src/index.js';
import { normalTensor } from '../support.js';

const config = {
  visionWidth: 12,
  languageWidth: 20,
  inputTokens: 16,
  outputTokens: 4,
  depth: 1,
  hiddenSize: 16,
} as const;

afterAll(closeEngine);

describe('CAbstractor', () => {
  it('drops the row for the class token from old position tables', async () => {
    const source = new CAbstractor(config).initialize(1);
    const state = await source.state();
    const positions = state.pos_emb!.data as Float32Array;
    const old = new Float32Array(17 * 12).fill(9);
    old.set(positions, 12);
    const loaded = new CAbstractor(config);
    loaded.loadState({ ...state, pos_emb: { shape: [1, 17, 12], data: old } });
    expect(await loaded.pos_emb!.data()).toEqual(positions);
    const features = normalTensor(1, 16, 12);
    expect(await loaded.forward(features).data()).toEqual(await source.forward(features).data());
  });

  it('refuses position tables of any other length', async () => {
    const state = await new CAbstractor(config).state();
    const wrong = { ...state, pos_emb: { shape: [1, 18, 12], data: new Float32Array(18 * 12) } };
    expect(() => new CAbstractor(config).loadState(wrong)).toThrow('pos_emb: [1, 18, 12] instead of [1, 16, 12]');
  });

  it('keeps what is where: a feature reaches only the tokens near it', async () => {
    const projector = new CAbstractor({
      ...config,
      inputTokens: 64,
      outputTokens: 64,
      positionEmbedding: false,
    }).initialize(2);
    // Without the global means of squeeze-excitation every path is local.
    for (const [name, parameter] of Object.entries(projector.namedParameters())) {
      if (/se\.fc/.test(name)) parameter.set(new Float32Array(parameter.size));
    }
    const features = normalTensor(1, 64, 12);
    const values = Float32Array.from((await features.data()) as Float32Array);
    values[0]! += 1;
    const before = await projector.forward(features).data();
    const after = await projector.forward(tensor(values, [1, 64, 12])).data();
    const changed = Array.from({ length: 64 }, (_, token) => token).filter((token) =>
      Array.from({ length: 20 }, (_, i) => token * 20 + i).some((i) => before[i] !== after[i]),
    );
    // Two depthwise 3×3 convolutions: row and column 0 to 2.
    expect(changed).toEqual([0, 1, 2, 8, 9, 10, 16, 17, 18]);
  });
});

describe('blocks of the ablations', () => {
  const shapes = (block: 'convnext' | 'convolution') =>
    Object.fromEntries(
      Object.entries(new CAbstractor({ ...config, block }).namedParameters())
        .filter(([name]) => name.startsWith('net.'))
        .map(([name, { shape }]) => [name, shape.join('x')]),
    );

  it('are plain convolutions over all channels', () => {
    expect(shapes('convolution')).toEqual({
      'net.0.b1.conv1.conv.weight': '16x12x3x3',
      'net.0.b1.conv1.bn.weight': '16',
      'net.0.b1.conv1.bn.bias': '16',
      'net.2.b1.conv1.conv.weight': '16x16x3x3',
      'net.2.b1.conv1.bn.weight': '16',
      'net.2.b1.conv1.bn.bias': '16',
    });
  });

  it("are ConvNeXt's, which start as almost nothing but what comes in", async () => {
    const {
      'net.0.b1.projection.weight': projection,
      'net.2.b1.projection.weight': none,
      ...rest
    } = shapes('convnext');
    expect([projection, none]).toEqual(['16x12', undefined]);
    expect(rest).toMatchObject({
      'net.2.b1.dwconv.weight': '16x1x7x7',
      'net.2.b1.norm.weight': '16',
      'net.2.b1.pwconv1.weight': '64x16',
      'net.2.b1.pwconv2.weight': '16x64',
      'net.2.b1.gamma': '16',
    });
    const block = new ConvolutionStage(2, 16, 16, { deviation: 1, block: 'convnext' }).initialize(1);
    const x = normalTensor(1, 4, 4, 16);
    const [before, after] = (await Promise.all([x.data(), block.forward(x).data()])) as Float32Array[];
    const change = Math.max(...after!.map((value, index) => Math.abs(value - before![index]!)));
    expect(change).toBeGreaterThan(0);
    expect(change).toBeLessThan(0.01);
    expect((await block.b1!.state()).gamma!.data[0]).toBeCloseTo(1e-6, 12);
  });

  it.each(['convnext', 'convolution'] as const)('%s train, near and far', async (block) => {
    const projector = new CAbstractor({ ...config, block, initializerRange: 0.3 }).initialize(1);
    const features = normalTensor(2, 16, 12);
    const { grads } = await valueAndGrad(() => sum(square(projector.forward(features))), projector.namedParameters());
    const still = Object.entries(grads).map(async ([name, gradient]) =>
      ((await gradient.data()) as Float32Array).every((value) => value === 0) ? name : undefined,
    );
    expect((await Promise.all(still)).filter((name) => name !== undefined)).toEqual([]);
  });
});

describe('adaptiveAvgPoolChannelsLast', () => {
  it.each([
    [4, 4, 3, 3],
    [3, 5, 5, 2],
    [6, 4, 6, 4],
  ])('pools %i × %i to %i × %i as with channels first', async (height, width, rows, columns) => {
    const x = normalTensor(2, height, width, 3);
    const expected = transpose(adaptiveAvgPool2d(transpose(x, [0, 3, 1, 2]), [rows, columns]), [0, 2, 3, 1]);
    const actual = (await adaptiveAvgPoolChannelsLast(x, [rows, columns]).data()) as Float32Array;
    const reference = await expected.data();
    expect(actual.length).toBe(2 * rows * columns * 3);
    actual.forEach((value, index) => {
      expect(value).toBeCloseTo(Number(reference[index]), 5);
    });
  });
});

describe('withoutClassPosition', () => {
  it('finds the table under a prefix and leaves everything else alone', () => {
    const positions = new CAbstractor(config).pos_emb;
    const table = { shape: [1, 17, 12], data: Float32Array.from({ length: 17 * 12 }, (_, i) => i) };
    const adapted = withoutClassPosition({ 'abstractor.pos_emb': table, other: table }, positions, 'abstractor.');
    expect(adapted['abstractor.pos_emb']!.shape).toEqual([1, 16, 12]);
    expect(adapted['abstractor.pos_emb']!.data[0]).toBe(12);
    expect(adapted.other).toBe(table);
  });
});
