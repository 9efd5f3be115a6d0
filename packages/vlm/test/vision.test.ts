import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConfigError,
  closeEngine,
  compile,
  exportOnnx,
  openCheckpoint,
  valueAndGrad,
  zeros,
} from '@ocelli/core-tensor';
import { ClipVisionTower, ConvNextTower, OnnxVisionEncoder, SiglipVisionTower } from '@ocelli/encoders';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import {
  createAnswerer,
  createVision,
  featureShape,
  loadModel,
  PatchClassifier,
  saveModel,
  toTensors,
  type VisionConfigInput,
  type VisionLanguageBatch,
  VisionLanguageModel,
} from '../src/index.js';
import { answers, collateQuestions, tokenizer } from './colour-questions.js';
import { difference, minimise, smallConfig, smallTower } from './support.js';

let root: string;
let onnxFile: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-vision-'));
  onnxFile = join(root, 'tower.onnx');
  const tower = new ClipVisionTower(smallTower).initialize(4);
  const features = (pixels: Parameters<typeof tower.features>[0]) => tower.features(pixels, { classToken: 'keep' });
  const inputs = { pixel_values: zeros([1, 3, 8, 8]) };
  await exportOnnx(onnxFile, ({ pixel_values }) => ({ last_hidden_state: features(pixel_values!) }), { inputs });
});
afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

const siglip = { type: 'siglip', ...smallTower } as const;
const convnext: VisionConfigInput = {
  type: 'convnext',
  depths: [1, 1],
  hiddenSizes: [8, 16],
  patchSize: 2,
  imageSize: 8,
};
const visions: readonly (readonly [string, () => VisionConfigInput, new (...args: never[]) => unknown])[] = [
  ['SigLIP', () => siglip, SiglipVisionTower],
  ['ConvNeXt', () => convnext, ConvNextTower],
  ['an ONNX file', () => ({ type: 'onnx', file: onnxFile }), OnnxVisionEncoder],
];

function modelOver(vision: VisionConfigInput): VisionLanguageModel {
  const { language, ...rest } = smallConfig('mlp');
  return new VisionLanguageModel({
    ...rest,
    vision,
    language: { ...language, vocabSize: tokenizer.vocabularySize },
  }).initialize(5);
}

async function answered(model: VisionLanguageModel): Promise<string[]> {
  const batch = toTensors(collateQuestions('generation', model.visualTokensPerImage));
  const rows = await createAnswerer(model)(batch, { maxNewTokens: 8, eosTokenId: tokenizer.eosTokenId! });
  return rows.map(({ tokens }) => tokenizer.decode([...tokens], { skipSpecialTokens: true }));
}

describe.each(visions)('a model over %s', (_, vision, encoder) => {
  it('learns to answer by what it sees, and is saved and loaded', async () => {
    const model = modelOver(vision());
    expect(model.vision).toBeInstanceOf(encoder);
    expect(model.visualTokensPerImage).toBe(5);
    const parameters = model.trainableParameters();
    const training = toTensors(collateQuestions('training', model.visualTokensPerImage));
    const step = compile((batch: VisionLanguageBatch) => valueAndGrad(() => model.loss(batch), parameters));
    const losses = await minimise(() => step(training), parameters, { steps: 60, learningRate: 0.01 });
    expect(losses[1]).toBeLessThan(losses[0]!);
    expect(losses.at(-1)).toBeLessThan(0.1);
    expect(await answered(model)).toEqual(answers);

    const folder = await mkdtemp(join(root, 'saved-'));
    await saveModel(folder, model);
    const loaded = await loadModel(folder, { kind: 'vision-language' });
    expect(loaded.config).toEqual({ ...model.config, vision: loaded.vision.config });
    expect(await difference(loaded.forward(training), model.forward(training))).toBe(0);
    expect(await answered(loaded)).toEqual(answers);
  });
});

describe('a model over an ONNX file', () => {
  it('never trains the encoder', async () => {
    const model = modelOver({ type: 'onnx', file: onnxFile }).unfreeze();
    expect(Object.keys(model.namedParameters()).some((name) => name.startsWith('vision.graph.parameters.'))).toBe(true);
    expect(Object.keys(model.trainableParameters()).filter((name) => name.startsWith('vision'))).toEqual([]);
    const before = await model.vision.state();
    const batch = toTensors(collateQuestions('training', model.visualTokensPerImage));
    const parameters = model.trainableParameters();
    const step = compile(() => valueAndGrad(() => model.loss(batch), parameters));
    await minimise(step, parameters, { steps: 2, learningRate: 0.01 });
    expect(await model.vision.state()).toEqual(before);
  });

  it('is saved with a copy of the file, so that the folder stands alone', async () => {
    const model = modelOver({ type: 'onnx', file: onnxFile });
    const [first, moved] = [join(root, 'first'), join(root, 'moved')];
    await saveModel(first, model);
    expect((await readdir(first)).sort()).toEqual(['config.json', 'model.safetensors', 'vision']);
    expect(JSON.parse(await readFile(join(first, 'config.json'), 'utf8')).vision).toMatchObject({
      type: 'onnx',
      file: 'vision/tower.onnx',
      prefixTokens: 1,
    });
    const checkpoint = await openCheckpoint(first);
    expect(checkpoint.keys().filter((key) => key.startsWith('vision'))).toEqual([]);
    await checkpoint.close();

    await cp(first, moved, { recursive: true });
    await rm(first, { recursive: true });
    const loaded = await loadModel(moved, { kind: 'vision-language' });
    const { pixelValues } = toTensors(collateQuestions('training', model.visualTokensPerImage));
    expect(await difference(loaded.encodeImages(pixelValues), model.encodeImages(pixelValues))).toBe(0);
    await saveModel(moved, loaded);
    expect(
      await difference(
        (await loadModel(moved, { kind: 'vision-language' })).encodeImages(pixelValues),
        model.encodeImages(pixelValues),
      ),
    ).toBe(0);
  });

  it('is copied with its weights out of a mixture, which keeps those of the others', async () => {
    const [first, moved] = [join(root, 'mixed'), join(root, 'mixed-moved')];
    const graph = { encoder: { type: 'onnx', file: onnxFile } } as const;
    const model = modelOver({
      type: 'mixture',
      encoders: [graph, { encoder: { ...siglip } }, graph],
      fusion: { type: 'sequence-append', outputWidth: 16, grid: null },
      imageSize: 8,
    });
    await saveModel(first, model);
    expect((await readdir(first)).sort()).toEqual(['config.json', 'model.safetensors', 'vision', 'vision-2']);
    const { vision } = JSON.parse(await readFile(join(first, 'config.json'), 'utf8'));
    expect(vision.encoders.map(({ encoder }: { encoder: { file?: string } }) => encoder.file)).toEqual([
      'vision/tower.onnx',
      undefined,
      'vision-2/tower.onnx',
    ]);
    const checkpoint = await openCheckpoint(first);
    const towers = new Set(checkpoint.keys().flatMap((key) => /^vision\.vision_towers\.\d/.exec(key) ?? []));
    await checkpoint.close();
    expect([...towers]).toEqual(['vision.vision_towers.1']);
    await cp(first, moved, { recursive: true });
    await rm(first, { recursive: true });
    const loaded = await loadModel(moved, { kind: 'vision-language' });
    const { pixelValues } = toTensors(collateQuestions('training', model.visualTokensPerImage));
    expect(await difference(loaded.encodeImages(pixelValues), model.encodeImages(pixelValues))).toBe(0);
  });

  it('is refused where the copy is gone', async () => {
    const folder = join(root, 'gone');
    await saveModel(folder, modelOver({ type: 'onnx', file: onnxFile }));
    await rm(join(folder, 'vision'), { recursive: true });
    await expect(loadModel(folder, { kind: 'vision-language' })).rejects.toThrow(
      /gone\/config\.json: .*vision\/tower\.onnx: .*ENOENT/,
    );
  });
});

describe('the encoder of a model', () => {
  it('is a CLIP tower where its configuration has no type, as in models that were saved before', async () => {
    const folder = join(root, 'before');
    const model = new VisionLanguageModel(smallConfig()).initialize(1);
    await saveModel(folder, model);
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
    const { type, ...vision } = config.vision;
    expect(type).toBe('clip');
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, vision, featureLayer: -2 }));
    const loaded = await loadModel(folder, { kind: 'vision-language' });
    expect(loaded.vision).toBeInstanceOf(ClipVisionTower);
    expect(loaded.config).toEqual({ ...model.config, featureLayer: -2 });
  });

  it('may be a mixture', () => {
    const vision: VisionConfigInput = {
      type: 'mixture',
      encoders: [{ encoder: { type: 'clip-high-resolution', vision: smallTower } }, { encoder: siglip }],
      fusion: { type: 'channel-concat', grid: 2 },
      imageSize: 8,
    };
    expect(featureShape(createVision(vision))).toEqual({ tokens: 4, width: 32, grid: [2, 2] });
  });

  test.each([
    ['an unknown type', { type: 'resnet' }, /a type among clip, .*onnx.*"resnet"/],
    ['one that does not take images', { type: 'pix2struct' }, /an encoder that takes images, received pix2struct/],
  ])('is refused with %s', (_, vision, message) => {
    const build = () => new VisionLanguageModel({ ...smallConfig(), vision: vision as VisionConfigInput });
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(message);
  });

  it('may give the features of a layer that is as wide as the projector takes', () => {
    const config = { ...smallConfig(), vision: convnext };
    expect(new VisionLanguageModel({ ...config, featureLayer: 2 }).visualTokensPerImage).toBe(4);
    expect(() => new VisionLanguageModel({ ...config, featureLayer: 1 })).toThrow(/visionWidth of 8, .* received 16/);
    const onnx = { ...config, vision: { type: 'onnx', file: onnxFile } as const };
    expect(() => new VisionLanguageModel({ ...onnx, featureLayer: -2 })).toThrow(/\(featureLayer\): expected no layer/);
  });

  it('may be any whose patches are a square, where it learns to tell them apart', () => {
    const classifier = new PatchClassifier(siglip);
    expect(classifier.grid).toBe(2);
    expect(classifier.forward(zeros([2, 3, 8, 8])).colours.shape.slice(0, 2)).toEqual([2, 4]);
  });
});
