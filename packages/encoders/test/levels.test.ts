import { closeEngine, initializers, randomKey, type Tensor, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it, test } from 'vitest';
import {
  createEncoder,
  type EncoderConfigInput,
  type FeatureLevel,
  Pix2StructVisionEncoder,
  resolveEncoderFiles,
  type VisionEncoder,
} from '../src/index.js';

const transformer = {
  hiddenSize: 8,
  intermediateSize: 12,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  imageSize: 16,
  patchSize: 4,
} as const;

const pix2struct = {
  hiddenSize: 8,
  patchEmbedHiddenSize: 12,
  intermediateSize: 12,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  headDim: 4,
  sequenceLength: 16,
  patchSize: 2,
  maxPatches: 50,
} as const;

interface Expected {
  /** Side of the grid and width of each level. */
  readonly levels: readonly (readonly [side: number, width: number])[];
  /** Whether level i is hidden state i; otherwise there is one more, which are the features without a choice of layer. */
  readonly areStates: boolean;
}

const states = { levels: [1, 2, 3].map(() => [4, 8] as const), areStates: true };

const encoders: readonly (readonly [EncoderConfigInput, Expected])[] = [
  [{ type: 'clip', ...transformer }, states],
  [{ type: 'clip-high-resolution', vision: { ...transformer, imageSize: 8 }, inputSize: 16 }, states],
  [{ type: 'siglip', ...transformer }, states],
  [{ type: 'eva02', ...transformer, windowSize: 2, pretrainImageSize: 16 }, states],
  [
    { type: 'convnext', depths: [1, 1], hiddenSizes: [6, 8], patchSize: 2, imageSize: 16 },
    {
      levels: [
        [8, 6],
        [8, 6],
        [4, 8],
      ],
      areStates: true,
    },
  ],
  [
    { type: 'eagle-pix2struct', imageSize: 16, outputGrid: 4, vision: pix2struct },
    {
      levels: [
        [7, 8],
        [7, 8],
        [7, 8],
        [4, 8],
      ],
      areStates: false,
    },
  ],
  [
    {
      type: 'sam',
      ...transformer,
      patchSize: 2,
      windowSize: 4,
      globalAttentionIndexes: [1],
      outputChannels: 4,
      neck: 'short',
      pixelUnshuffle: 2,
    },
    {
      levels: [
        [8, 8],
        [8, 8],
        [8, 8],
        [4, 16],
      ],
      areStates: false,
    },
  ],
];

const pixels = tensor(initializers.normal()([2, 3, 16, 16], randomKey('pixels')), [2, 3, 16, 16]);

async function values(x: Tensor): Promise<number[]> {
  return Array.from((await x.data()) as Float32Array);
}

afterAll(closeEngine);

describe('levels', () => {
  test.each(encoders.map(([config, expected]) => [config.type, config, expected] as const))(
    'of %s are its hidden states, and what it makes of them',
    async (_, config, expected) => {
      const encoder: VisionEncoder = createEncoder(config).initialize(3);
      const levels: readonly FeatureLevel[] = encoder.levels!(pixels);
      expect(levels.map(({ grid: [side] }) => side)).toEqual(expected.levels.map(([side]) => side));
      for (const [index, { features, grid }] of levels.entries()) {
        expect(features.shape).toEqual([2, grid[0] * grid[1], expected.levels[index]![1]]);
      }
      const layers = expected.areStates ? [...levels.keys()] : [undefined];
      for (const layer of layers) {
        const level = levels.at(layer ?? -1)!;
        const own = encoder.features(pixels, layer === undefined ? {} : { layer });
        expect(await values(level.features)).toEqual(await values(own));
      }
    },
  );

  it('are absent where an encoder does not take images', () => {
    expect((new Pix2StructVisionEncoder(pix2struct) as VisionEncoder).levels).toBeUndefined();
  });
});

describe('resolveEncoderFiles', () => {
  it('finds the files of graphs wherever they are in a configuration, and changes nothing else', () => {
    const graph = { type: 'onnx', file: 'vision/a.onnx' };
    const config = { vision: { encoders: [{ encoder: graph }, { encoder: { type: 'clip', file: 'b' } }] }, seed: null };
    expect(resolveEncoderFiles(config, '/models/one')).toEqual({
      vision: {
        encoders: [
          { encoder: { type: 'onnx', file: '/models/one/vision/a.onnx' } },
          { encoder: { type: 'clip', file: 'b' } },
        ],
      },
      seed: null,
    });
    expect(config.vision.encoders[0]!.encoder).toBe(graph);
  });
});
