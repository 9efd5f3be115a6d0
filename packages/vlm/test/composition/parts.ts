import type { EncoderConfigInput } from '@ocelli/encoders';
import type { ExpertConfig, FittedProjectorConfigInput, VisionConfigInput } from '../../src/index.js';

/** Everything is as small as it can be: pictures of 16 pixels, features of 4 × 4. */
const transformer = {
  hiddenSize: 8,
  intermediateSize: 12,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  imageSize: 16,
  patchSize: 4,
} as const;

export const languageWidth = 12;

export const language = {
  vocabSize: 32,
  hiddenSize: languageWidth,
  intermediateSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  initializerRange: 0.3,
} as const;

/** A tower as it is exported into the file of the `onnx` encoders. */
export const exportedTower = transformer;

const eva02 = {
  type: 'eva02',
  ...transformer,
  windowSize: 2,
  pretrainImageSize: 16,
  rotarySequenceLength: 4,
} as const satisfies EncoderConfigInput;

/** Its neck gives 4 × 4 features of width 16 behind 8 × 8 patches of width 8. */
const sam = {
  type: 'sam',
  ...transformer,
  patchSize: 2,
  windowSize: 4,
  globalAttentionIndexes: [1],
  outputChannels: 4,
  neck: 'short',
  pixelUnshuffle: 2,
} as const satisfies EncoderConfigInput;

/** Patches of 7 × 7, features of 4 × 4. */
const pix2struct = {
  type: 'eagle-pix2struct',
  imageSize: 16,
  outputGrid: 4,
  vision: {
    hiddenSize: 8,
    patchEmbedHiddenSize: 12,
    intermediateSize: 12,
    numHiddenLayers: 2,
    numAttentionHeads: 2,
    headDim: 4,
    sequenceLength: 16,
    patchSize: 2,
    maxPatches: 50,
  },
} as const satisfies EncoderConfigInput;

/** Stem and first stage have 8 × 8 features of width 6, the second stage 4 × 4 of width 8. */
const convnext = {
  type: 'convnext',
  depths: [1, 1],
  hiddenSizes: [6, 8],
  patchSize: 2,
  kernelSize: 3,
  imageSize: 16,
  layerScaleInit: 0.5,
} satisfies EncoderConfigInput;

/** 2 × 2 features behind 32 × 32 of the stem. */
const fiveStages = {
  ...convnext,
  depths: [1, 1, 1, 1, 1],
  hiddenSizes: [4, 4, 6, 6, 8],
  patchSize: 1,
  imageSize: 32,
} satisfies EncoderConfigInput;

const highResolution = {
  type: 'clip-high-resolution',
  vision: { ...transformer, imageSize: 8 },
  inputSize: 16,
} as const satisfies EncoderConfigInput;

function mixture(
  fusion: Extract<VisionConfigInput, { type: 'mixture' }>['fusion'],
  encoders: readonly ExpertConfig[],
): VisionConfigInput {
  return { type: 'mixture', encoders, fusion, imageSize: 16 };
}

const two: readonly ExpertConfig[] = [{ encoder: highResolution }, { encoder: convnext }];
const pyramid: readonly ExpertConfig[] = [{ encoder: highResolution }, { encoder: convnext, pyramid: true }];

/** Every part that sees images, by the name that the README's matrix has. `file` is an ONNX graph. */
export const visionParts = {
  clip: () => ({ type: 'clip', ...transformer }),
  'clip-high-resolution': () => highResolution,
  siglip: () => ({ type: 'siglip', ...transformer, visionUseHead: false }),
  convnext: () => convnext,
  'convnext with five stages': () => fiveStages,
  eva02: () => eva02,
  sam: () => sam,
  'eagle-pix2struct': () => pix2struct,
  onnx: (file) => ({ type: 'onnx', file }),
  'mixture: channel-concat': () =>
    mixture({ type: 'channel-concat', grid: 4 }, [
      { encoder: highResolution },
      { encoder: convnext },
      { encoder: sam },
      { encoder: eva02 },
      { encoder: pix2struct },
    ]),
  'mixture: sequence-append': () => mixture({ type: 'sequence-append', outputWidth: languageWidth, grid: 4 }, two),
  'mixture: llava-hr': () => mixture({ type: 'llava-hr' }, two),
  'mixture: mini-gemini': () => mixture({ type: 'mini-gemini' }, pyramid),
  'mixture: deformable': (file) =>
    mixture({ type: 'deformable', numAttentionHeads: 2, numPoints: 2 }, [
      ...two,
      { encoder: { type: 'onnx', file } },
      { encoder: { type: 'onnx', file } },
    ]),
  'llava-hr': () => ({
    type: 'llava-hr',
    fast: { ...transformer, numHiddenLayers: 4, imageSize: 8 },
    slow: convnext,
    imageSize: 16,
  }),
} as const satisfies Readonly<Record<string, (file: string) => VisionConfigInput>>;

/** A name in {@link visionParts}. */
export type VisionPart = keyof typeof visionParts;

const attention = { hiddenSize: 8, intermediateSize: 8, numHiddenLayers: 1, numAttentionHeads: 2 } as const;

/** Every projector; what follows from its place is left out. */
export const projectorParts = {
  linear: { type: 'linear' },
  mlp: { type: 'mlp', activation: 'gelu', weightStart: 'uniform' },
  resampler: { type: 'resampler', ...attention, outputTokens: 4, queryStart: 'normal' },
  'c-abstractor': { type: 'c-abstractor', outputTokens: 4, hiddenSize: 8, depth: 1 },
  'd-abstractor': { type: 'd-abstractor', ...attention, numPoints: 2, outputTokens: 4 },
} as const satisfies Readonly<Record<string, FittedProjectorConfigInput>>;

/** A name in {@link projectorParts}. */
export type ProjectorPart = keyof typeof projectorParts;
