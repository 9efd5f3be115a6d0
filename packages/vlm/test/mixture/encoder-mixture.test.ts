import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConfigError,
  closeEngine,
  compile,
  Linear,
  loadWeights,
  Module,
  openSafetensors,
  ShapeError,
  saveWeights,
  sum,
  valueAndGrad,
} from '@ocelli/core-tensor';
import type { EncoderConfigInput } from '@ocelli/encoders';
import { type CAbstractor, createProjector, type FusionConfigInput, mapToTokens } from '@ocelli/projectors';
import { afterAll, describe, expect, it } from 'vitest';
import {
  EncoderMixture,
  type EncoderMixtureConfigInput,
  eagleMixtureConfig,
  eagleMixtureKeyMap,
  eagleTowers,
} from '../../src/index.js';
import { difference, normal } from '../support.js';

const clip = {
  type: 'clip-high-resolution',
  vision: { hiddenSize: 8, intermediateSize: 12, numHiddenLayers: 1, numAttentionHeads: 2, imageSize: 8, patchSize: 4 },
  inputSize: 16,
} as const;

const convnext = {
  type: 'convnext' as const,
  depths: [1, 1, 1],
  hiddenSizes: [4, 6, 8],
  patchSize: 2,
  imageSize: 32,
} satisfies EncoderConfigInput;

function config(fusion?: EncoderMixtureConfigInput['fusion'], pyramid = false): EncoderMixtureConfigInput {
  return { encoders: [{ encoder: clip }, { encoder: convnext, pyramid }], fusion, imageSize: 32 };
}

afterAll(closeEngine);

describe('EncoderMixture', () => {
  it.each([
    [{ type: 'channel-concat', grid: 2 }, false, [2, 2], 16],
    [{ type: 'sequence-append', outputWidth: 10, grid: 2 }, false, [4, 2], 10],
    [{ type: 'llava-hr' }, false, [4, 4], 8],
    [{ type: 'mini-gemini' }, true, [4, 4], 8],
    [{ type: 'deformable', numAttentionHeads: 2 }, true, [4, 4], 8],
  ] as const)('sees images of any size through %j', (fusion, pyramid, grid, width) => {
    const mixture = new EncoderMixture(config(fusion, pyramid)).initialize(0);
    expect(mixture.featureGrid()).toEqual(grid);
    expect(mixture.width).toBe(width);
    for (const side of [32, 20]) {
      expect(mixture.features(normal(2, 3, side, side)).shape).toEqual([2, grid[0] * grid[1], width]);
    }
  });

  it('has what each encoder sees as levels, and what the fusion makes of it', async () => {
    const mixture = new EncoderMixture(config({ type: 'mini-gemini' }, true)).initialize(0);
    const pixels = normal(1, 3, 32, 32);
    const levels = mixture.levels(pixels);
    expect(levels.map(({ features, grid }) => [features.shape, grid])).toEqual([
      [
        [1, 16, 8],
        [4, 4],
      ],
      [
        [1, 256, 18],
        [16, 16],
      ],
      [
        [1, 16, 8],
        [4, 4],
      ],
    ]);
    expect(await difference(levels[0]!.features, mapToTokens(mixture.featureMaps(pixels)[0]!))).toBe(0);
    expect(await difference(levels[2]!.features, mixture.features(pixels))).toBe(0);
  });

  it('gives each encoder the images at its own size', () => {
    const maps = new EncoderMixture(config()).featureMaps(normal(1, 3, 24, 24));
    expect(maps.map(({ shape }) => shape)).toEqual([
      [1, 8, 4, 4],
      [1, 8, 4, 4],
    ]);
    const pyramid = new EncoderMixture(config({ type: 'mini-gemini' }, true)).featureMaps(normal(1, 3, 32, 32));
    expect(pyramid[1]!.shape).toEqual([1, 18, 16, 16]);
  });

  it('is made of its configuration again, defaults and widths filled in', () => {
    const mixture = new EncoderMixture(config());
    expect(mixture.config.fusion).toEqual({ type: 'channel-concat', widths: [8, 8], grid: 32 });
    const again = new EncoderMixture(JSON.parse(JSON.stringify(mixture.config)) as EncoderMixtureConfigInput);
    expect(again.config).toEqual(mixture.config);
    expect(Object.keys(again.namedParameters())).toEqual(Object.keys(mixture.namedParameters()));
  });

  it('freezes one encoder and trains the other', async () => {
    const mixture = new EncoderMixture(config({ type: 'channel-concat', grid: 2 })).initialize(0);
    mixture.freeze('vision_towers.0');
    const pixels = normal(1, 3, 32, 32);
    const { grads } = await compile(() =>
      valueAndGrad(() => sum(mixture.features(pixels)), mixture.trainableParameters()),
    )();
    expect(Object.keys(grads).every((name) => name.startsWith('vision_towers.1.vision_tower.'))).toBe(true);
    expect(Object.keys(grads).length).toBeGreaterThan(10);
  });

  it('goes with a C-Abstractor, and is saved and loaded with it', async () => {
    class Tower extends Module {
      readonly mixture = new EncoderMixture(config({ type: 'channel-concat', grid: 4 }));
      readonly projector: CAbstractor = createProjector({
        type: 'c-abstractor',
        visionWidth: this.mixture.width,
        languageWidth: 6,
        inputTokens: 16,
        outputTokens: 4,
        hiddenSize: 8,
        depth: 1,
      });

      forward(pixels: Parameters<EncoderMixture['features']>[0]) {
        return this.projector.forward(this.mixture.features(pixels));
      }
    }
    const folder = await mkdtemp(join(tmpdir(), 'mixture-'));
    try {
      const [tower, loaded] = [new Tower().initialize(1), new Tower()];
      await saveWeights(folder, tower);
      await loadWeights(loaded, folder);
      const pixels = normal(2, 3, 32, 32);
      expect(tower.forward(pixels).shape).toEqual([2, 4, 6]);
      expect(await difference(tower.forward(pixels), loaded.forward(pixels))).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each([
    [{ encoders: [] }, /encoders/],
    [{ encoders: [{ encoder: clip }], fusoin: {} }, /"fusoin"/],
    [{ encoders: [{ encoder: { type: 'vgg' } }] }, /createEncoder: .*"vgg"/],
    [{ encoders: [{ encoder: clip, pyramid: true }] }, /a convnext encoder, where pyramid is set, received clip-high/],
    [{ encoders: [{ encoder: clip }], fusion: { type: 'sum' } }, /createFusion: .*"sum"/],
  ])('names what is wrong with %j', (wrong, message) => {
    expect(() => new EncoderMixture(wrong as unknown as EncoderMixtureConfigInput)).toThrow(ConfigError);
    expect(() => new EncoderMixture(wrong as unknown as EncoderMixtureConfigInput)).toThrow(message);
  });

  it('refuses to choose a layer', () => {
    expect(() => new EncoderMixture(config()).features(normal(1, 3, 32, 32), { layer: -2 })).toThrow(ConfigError);
  });

  it('refuses maps that do not go together when it first sees an image', () => {
    const fusion: FusionConfigInput = { type: 'llava-hr', widths: [8, 8] };
    const odd = { encoders: [{ encoder: { ...clip, inputSize: 12 } }, { encoder: convnext }], fusion };
    expect(() => new EncoderMixture(odd).features(normal(1, 3, 32, 32))).toThrow(ShapeError);
  });
});

describe('eagleMixtureConfig', () => {
  it('has the published widths, tokens and parameters', () => {
    const x5 = new EncoderMixture(eagleMixtureConfig(eagleTowers['eagle-x5']));
    const x4 = new EncoderMixture(eagleMixtureConfig(eagleTowers['eagle-x4']));
    expect([x4.width, x5.width]).toEqual([6656, 7680]);
    expect(x5.featureGrid()).toEqual([32, 32]);
    // CLIP, ConvNeXt without its head, SAM, EVA-02 and Pix2Struct.
    const millions = (path: string) => {
      const parameters = Object.entries(x5.namedParameters()).filter(([name]) => name.startsWith(path));
      return parameters.reduce((sum, [, { size }]) => sum + size, 0) / 1e6;
    };
    const published = [303.5, 843.4, 307.7, 303.4, 512.8];
    for (const [index, expected] of published.entries()) {
      expect(Math.abs(millions(`vision_towers.${index}.`) - expected), `expert ${index}`).toBeLessThan(0.1);
    }
  });

  it('lets CLIP see the size of the paper instead of that of the code', () => {
    const sizes = [{}, { clipInputSize: 448 }].map((options) => {
      const [first] = eagleMixtureConfig('clip-448', options).encoders;
      return (first!.encoder as { inputSize?: number }).inputSize;
    });
    expect(sizes).toEqual([336, 448]);
  });

  it('refuses names that it does not know', () => {
    expect(() => eagleMixtureConfig('clip-448;dinov2')).toThrow(ConfigError);
    expect(() => eagleMixtureConfig('clip-448;dinov2')).toThrow(/clip-448, convnext-1024, .* received "dinov2"/);
  });

  it('loads checkpoints under the names of Eagle, and ignores everything else in them', async () => {
    const source = new EncoderMixture(config({ type: 'channel-concat', grid: 2 }));
    class Model extends Module {
      readonly model = { vision_tower: { vision_towers: source.vision_towers } };
      readonly lm_head = new Linear(2, 2);
    }
    const root = 'model.vision_tower.';
    const rules = eagleMixtureKeyMap.rules.map(({ key, parameter }) => ({
      key: `${root}${key}`,
      parameter: `${root}${String(parameter)}`,
    }));
    const folder = await mkdtemp(join(tmpdir(), 'eagle-'));
    try {
      await saveWeights(folder, new Model().initialize(1), { keyMap: { rules } });
      const reader = await openSafetensors(join(folder, 'model.safetensors'));
      expect(reader.keys()).toContain(`${root}vision_towers.1.vision_tower.stages.0.blocks.0.weight`);
      expect(reader.keys()).toContain(`${root}vision_towers.0.vision_tower.vision_model.pre_layrnorm.weight`);
      await reader.close();
      const loaded = new EncoderMixture(source.config);
      const { ignored } = await loadWeights(loaded, folder, { keyMap: eagleMixtureKeyMap });
      expect([...ignored].sort()).toEqual(['lm_head.bias', 'lm_head.weight']);
      const pixels = normal(1, 3, 32, 32);
      expect(await difference(loaded.features(pixels), source.features(pixels))).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
