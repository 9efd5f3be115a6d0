import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CheckpointError,
  type ConfigError,
  closeEngine,
  compile,
  exportOnnx,
  gradients,
  mul,
  normalFloats,
  OnnxError,
  randomKey,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { onnxModel } from '../../../../test/support/onnx-model.js';
import { visionTransformer } from '../../../../test/support/pytorch-graphs.js';
import {
  ClipVisionTower,
  ConvNextTower,
  createEncoder,
  loadEncoder,
  loadOnnxVision,
  OnnxVisionEncoder,
  SiglipVisionTower,
  saveClipVision,
} from '../../src/index.js';

const structure = {
  hiddenSize: 16,
  intermediateSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  imageSize: 12,
  patchSize: 4,
} as const;

const clip = new ClipVisionTower(structure).initialize(1);
const siglip = new SiglipVisionTower(structure).initialize(2);
const convnext = new ConvNextTower({
  depths: [1, 1],
  hiddenSizes: [8, 12],
  imageSize: 32,
  layerScaleInit: 0.5,
}).initialize(3);

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-onnx-encoder-'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

function noise(...shape: number[]): Tensor {
  return tensor(
    normalFloats(
      randomKey(5),
      shape.reduce((a, b) => a * b),
    ),
    shape,
  );
}

/** Writes what a function makes of images of a size, and gives the path. */
async function written(
  name: string,
  fn: (pixels: Tensor) => Record<string, Tensor>,
  shape: readonly number[],
  options: { externalDataAbove?: number } = {},
): Promise<string> {
  const path = join(root, `${name}.onnx`);
  const inputs = { pixel_values: zeros(shape) };
  await exportOnnx(path, ({ pixel_values: pixels }) => fn(pixels!), { inputs, ...options });
  return path;
}

/** Expects features, and their gradient, to be those of another function. */
async function expectLike(encoder: OnnxVisionEncoder, features: (pixels: Tensor) => Tensor, pixels: Tensor) {
  const slope = (y: Tensor) => gradients(sum(mul(y, noise(...y.shape))), [pixels])[0]!;
  const [expected, actual] = [features(pixels), encoder.features(pixels)];
  expect(actual.shape).toEqual(expected.shape);
  const pairs = [
    [slope(actual), slope(expected)],
    [actual, expected],
  ] as const;
  for (const [a, e] of pairs) {
    const [received, wanted] = (await Promise.all([a.data(), e.data()])) as [Float32Array, Float32Array];
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    received.forEach((value, index) => {
      expect(Math.abs(value - wanted[index]!)).toBeLessThan(1e-5 * largest);
    });
  }
}

describe('a native encoder behind an ONNX file', () => {
  test.each([
    ['CLIP', clip, 12],
    ['SigLIP', siglip, 12],
    ['ConvNeXt', convnext, 32],
  ] as const)('%s has the same features and gradients', async (name, tower, side) => {
    const features = (pixels: Tensor) => tower.features(pixels);
    const file = await written(name, (pixels) => ({ features: features(pixels) }), [2, 3, side, side]);
    const encoder = new OnnxVisionEncoder({ file });
    expect(encoder.width).toBe(tower.width);
    expect(encoder.imageSize).toBe(side);
    expect(encoder.featureGrid()).toEqual(tower.featureGrid());
    await expectLike(encoder, features, noise(2, 3, side, side));
  });

  it('drops the tokens in front of the patches', async () => {
    const states = (pixels: Tensor) => clip.features(pixels, { layer: -1, classToken: 'keep' });
    const file = await written('class-token', (pixels) => ({ last_hidden_state: states(pixels) }), [1, 3, 12, 12]);
    const encoder = new OnnxVisionEncoder({ file });
    expect(encoder.config).toMatchObject({ prefixTokens: 1, output: 'last_hidden_state', input: 'pixel_values' });
    await expectLike(encoder, (pixels) => clip.features(pixels, { layer: -1 }), noise(1, 3, 12, 12));
  });

  it('may give a map, with its width first or last', async () => {
    const map = (pixels: Tensor) => convnext.forward(pixels).stages[1]!;
    const features = (pixels: Tensor) => convnext.features(pixels);
    const shape = [1, 3, 32, 32];
    const first = await written('map', (pixels) => ({ map: map(pixels) }), shape);
    const encoder = new OnnxVisionEncoder({ file: first });
    expect(encoder.featureGrid()).toEqual([4, 4]);
    await expectLike(encoder, features, noise(...shape));
    const last = await written('map-last', (pixels) => ({ map: transpose(map(pixels), [0, 2, 3, 1]) }), shape);
    await expectLike(new OnnxVisionEncoder({ file: last, layout: 'channels-last' }), features, noise(...shape));
    const oblong = await written('oblong', (pixels) => ({ map: map(pixels) }), [1, 3, 32, 48]);
    expect(() => new OnnxVisionEncoder({ file: oblong })).toThrow('expected imageSize');
    expect(() => new OnnxVisionEncoder({ file: oblong, imageSize: 32 })).toThrow(ShapeError);
  });

  it('is repeated where it was exported for fewer images', async () => {
    const file = await written('two', (pixels) => ({ features: siglip.features(pixels) }), [2, 3, 12, 12]);
    const encoder = new OnnxVisionEncoder({ file });
    await expectLike(encoder, (pixels) => siglip.features(pixels), noise(6, 3, 12, 12));
    expect(() => encoder.features(zeros([3, 3, 12, 12]))).toThrow('a multiple of 2 images');
    expect(() => encoder.features(zeros([2, 3, 8, 12]))).toThrow(ShapeError);
  });

  it('never trains, and keeps the weights of its file', async () => {
    const file = await written('frozen', (pixels) => ({ features: clip.features(pixels) }), [1, 3, 12, 12]);
    const encoder = new OnnxVisionEncoder({ file }).initialize(9).unfreeze();
    expect(encoder.trainableParameters()).toEqual({});
    expect(encoder.parameterCount()).toBeGreaterThan(1000);
    await expectLike(encoder, (pixels) => clip.features(pixels), noise(1, 3, 12, 12));
  });
});

describe('a graph of any size', () => {
  const bytes = onnxModel(visionTransformer);
  let file: string;
  beforeAll(async () => {
    file = join(root, 'any.onnx');
    await writeFile(file, bytes);
  });

  it('has features of images of any size, and knows their grid', () => {
    const encoder = new OnnxVisionEncoder({ file, imageSize: 8, output: 'hidden' });
    expect(encoder.config).toEqual({
      type: 'onnx',
      file,
      input: 'pixel_values',
      output: 'hidden',
      imageSize: 8,
      prefixTokens: 1,
      layout: 'channels-first',
    });
    expect(encoder.featureGrid()).toEqual([2, 2]);
    expect(encoder.featureGrid(12, 20)).toEqual([3, 5]);
    expect(encoder.features(zeros([3, 3, 12, 20])).shape).toEqual([3, 15, 8]);
    expect(encoder.featureGrid(16)).toEqual([4, 4]);
  });

  it('is made again from its configuration', async () => {
    const encoder = createEncoder({
      type: 'onnx',
      file,
      imageSize: 8,
      output: 'tokens',
      prefixTokens: 1,
      patchSize: 4,
    });
    const again = createEncoder(JSON.parse(JSON.stringify(encoder.config)) as typeof encoder.config);
    expect(again.config).toEqual(encoder.config);
    const run = (each: OnnxVisionEncoder) => compile((pixels: Tensor) => each.features(pixels))(noise(2, 3, 8, 8));
    expect(await (await run(again)).data()).toEqual(await (await run(encoder)).data());
  });

  test.each<[string, object, RegExp | typeof ConfigError]>([
    ['no size', { output: 'hidden' }, /expected imageSize, .*received pixel_values \[batch, 3, height, width\]/],
    ['an output that is not there', { output: 'hiden', imageSize: 8 }, /outputs among last_hidden_state, pooled/],
    ['an input that is not there', { input: 'images', imageSize: 8 }, /features that need images alone.*pixel_values/],
    ['an output without a grid', { output: 'pooled', imageSize: 8 }, /pooled to be tokens .*received \[1, 16\]/],
    [
      'patches that do not fit',
      { output: 'hidden', imageSize: 8, patchSize: 2 },
      /patches of 8 × 8 pixels, .* as 5 tokens/,
    ],
    ['tokens that do not fit', { output: 'hidden', imageSize: 8, prefixTokens: 2 }, /Give patchSize and prefixTokens/],
    ['an unknown field', { imageSize: 8, outputs: 'hidden' }, /unknown key "outputs"/],
  ])('is refused with %s', (_, config, message) => {
    expect(() => new OnnxVisionEncoder({ file, ...config })).toThrow(message);
  });

  it('has one kind of features', () => {
    const encoder = new OnnxVisionEncoder({ file, imageSize: 8, output: 'hidden' });
    expect(() => encoder.features(zeros([1, 3, 8, 8]), { layer: -2 })).toThrow(
      /expected no layer.*received -2.*output/,
    );
  });

  it('is refused where the file is none', async () => {
    const broken = join(root, 'broken.onnx');
    await writeFile(broken, bytes.subarray(0, 300));
    expect(() => new OnnxVisionEncoder({ file: broken, imageSize: 8 })).toThrow(OnnxError);
    expect(() => createEncoder({ type: 'onnx', file: join(root, 'nowhere.onnx') })).toThrow(/nowhere\.onnx.*ENOENT/);
    expect(() => createEncoder({ type: 'onnx' } as never)).toThrow(/file: /);
  });
});

describe('a folder with a graph', () => {
  async function folderWith(name: string, files: Record<string, string | Uint8Array>): Promise<string> {
    const folder = join(root, name);
    for (const [file, contents] of Object.entries(files)) {
      await mkdir(join(folder, file, '..'), { recursive: true });
      await writeFile(join(folder, file), contents);
    }
    return folder;
  }
  const states = onnxModel({ ...visionTransformer, outputs: { hidden: 'float32' } });

  it('is found as transformers.js has it, and told by its configuration', async () => {
    const folder = await folderWith('transformers', {
      'onnx/vision_model.onnx': states,
      'onnx/model.onnx': 'text and vision',
      'config.json': JSON.stringify({ model_type: 'clip', vision_config: { image_size: 8, patch_size: 4 } }),
    });
    const encoder = (await loadEncoder(folder)) as OnnxVisionEncoder;
    expect(encoder).toBeInstanceOf(OnnxVisionEncoder);
    expect(encoder.config).toMatchObject({ file: join(folder, 'onnx/vision_model.onnx'), imageSize: 8 });
    const other = await loadOnnxVision(folder, { output: 'tokens', imageSize: 16 });
    expect(other.config).toMatchObject({ output: 'tokens', imageSize: 16 });
  });

  it('is told by its image processor', async () => {
    const processor = { size: { shortest_edge: 10 }, crop_size: { height: 8, width: 8 }, do_center_crop: true };
    const folder = await folderWith('processor', {
      'model.onnx': states,
      'preprocessor_config.json': JSON.stringify(processor),
    });
    expect((await loadEncoder(folder)).imageSize).toBe(8);
  });

  it('has patches that the configuration tells where there are registers', async () => {
    const registers = onnxModel({
      ...visionTransformer,
      nodes: [
        ...visionTransformer.nodes,
        {
          type: 'Concat',
          inputs: ['cls/expanded', 'cls/expanded', 'hidden'],
          outputs: ['more'],
          attributes: { axis: 1 },
        },
      ],
      outputs: { more: 'float32' },
    });
    const config = JSON.stringify({ image_size: 8, patch_size: 4 });
    const folder = await folderWith('registers', { 'model.onnx': registers, 'config.json': config });
    const encoder = (await loadEncoder(folder)) as OnnxVisionEncoder;
    expect(encoder.config).toMatchObject({ prefixTokens: 3, patchSize: 4 });
    expect(encoder.features(zeros([1, 3, 8, 8])).shape).toEqual([1, 4, 8]);
  });

  it('is a file, or a configuration of its own', async () => {
    const folder = await folderWith('own', {
      'graph.onnx': states,
      'config.json': JSON.stringify({ type: 'onnx', file: 'graph.onnx', imageSize: 16 }),
    });
    expect((await loadEncoder(folder)).config).toMatchObject({ file: join(folder, 'graph.onnx'), imageSize: 16 });
    const fixed = await written('fixed', (pixels) => ({ y: siglip.features(pixels) }), [1, 3, 12, 12]);
    expect((await loadEncoder(fixed)).imageSize).toBe(12);
  });

  it('is left alone where there are safetensors', async () => {
    const folder = await folderWith('both', { 'model.onnx': states });
    await saveClipVision(folder, clip);
    expect(await loadEncoder(folder)).toBeInstanceOf(ClipVisionTower);
  });

  it('is refused where there is none', async () => {
    const folder = await folderWith('none', { 'readme.md': '' });
    await expect(loadOnnxVision(folder)).rejects.toThrow(
      /a folder with onnx\/vision_model\.onnx, .*model\.onnx, received/,
    );
  });
});

describe('copies of the files', () => {
  it('are an encoder of their own, with what lies beside the model', async () => {
    const shape = [1, 3, 12, 12];
    const file = await written('large', (p) => ({ y: clip.features(p) }), shape, { externalDataAbove: 0 });
    const encoder = new OnnxVisionEncoder({ file });
    const folder = join(root, 'copied');
    const config = await encoder.copyFiles(folder);
    expect(config).toEqual({ ...encoder.config, file: 'vision/large.onnx' });
    expect((await readdir(join(folder, 'vision'))).sort()).toEqual(['large.onnx', 'large.onnx.data']);
    await rm(file);
    await rm(`${file}.data`);
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const loaded = (await loadEncoder(folder)) as OnnxVisionEncoder;
    await expectLike(loaded, (pixels) => clip.features(pixels), noise(...shape));
    const before = await readFile(join(folder, 'vision/large.onnx'));
    await loaded.copyFiles(folder);
    expect((await readFile(join(folder, 'vision/large.onnx'))).equals(before)).toBe(true);
    await expect(encoder.copyFiles(join(root, 'again'))).rejects.toThrow(CheckpointError);
    expect(await readdir(join(root, 'again/vision')).catch(() => [])).toEqual([]);
  });
});
