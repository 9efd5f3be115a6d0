import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closeEngine, exportOnnx, type Tensor, zeros } from '@ocelli/core-tensor';
import { OnnxVisionEncoder, SiglipVisionTower } from '@ocelli/encoders';
import { loadModel } from '@ocelli/vlm';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { writePng } from '../../../../test/support/write-png.js';
import type { TrainingConfig } from '../../src/train/config.js';
import { generateWorld, ocelli, readJson, temporaryFolder, tinyConfig, writeConfig } from './tiny-run.js';

const [firstStage, secondStage] = tinyConfig.stages;
const stages = [firstStage, { ...secondStage, steps: 4 }];
const structure = { ...tinyConfig.vision.config, numHiddenLayers: 1 } as const;

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await generateWorld(folder);
  const tower = new SiglipVisionTower({ ...structure, visionUseHead: false }).initialize(7);
  const features = (pixels: Tensor) => ({ last_hidden_state: tower.features(pixels) });
  await exportOnnx(join(folder, 'tower.onnx'), ({ pixel_values: pixels }) => features(pixels!), {
    inputs: { pixel_values: zeros([1, 3, 32, 32]) },
    externalDataAbove: 0,
  });
  const processor = {
    image_processor_type: 'SiglipImageProcessor',
    size: { height: 32, width: 32 },
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  };
  await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(processor));
});
afterAll(() => closeEngine());

async function trained(name: string, vision: object) {
  const run = join(folder, name);
  const config = await writeConfig(folder, { ...tinyConfig, vision, stages }, `${name}.yaml`);
  expect(await ocelli('train', config, '--out', run)).toMatchObject({ code: 0, errors: '' });
  return run;
}

describe('ocelli train', () => {
  test.each([
    ['siglip', { type: 'siglip', ...structure }, 4],
    ['convnext', { type: 'convnext', depths: [1, 1], hiddenSizes: [8, 12], imageSize: 32 }, 16],
  ])('trains over an encoder of type %s', async (type, config, tokens) => {
    const run = await trained(type, { config });
    const model = await loadModel(join(run, 'model'), { kind: 'vision-language' });
    expect(model.vision.config.type).toBe(type);
    expect(model.visualTokensPerImage).toBe(tokens);
    expect((await ocelli('eval', run, '--limit', '3')).code).toBe(0);
  });

  it('evaluates over images that keep their aspect ratio, where the encoder takes them', async () => {
    const vision = { config: { type: 'convnext', depths: [1, 1], hiddenSizes: [8, 12], imageSize: 32 } };
    const run = await trained('any-aspect', vision);
    const records = await readJson<{ image: string }[]>(join(folder, 'world/test.json'));
    const picture = join(folder, 'world', records[0]!.image);
    const square = await readFile(picture);
    await writePng(picture, { width: 64, height: 32 }, [0, 200, 0]);
    try {
      expect(await ocelli('eval', run, '--limit', '3', '--shortest-edge', '48')).toMatchObject({ code: 0, errors: '' });
      const clip = await trained('square', tinyConfig.vision);
      const refused = await ocelli('eval', clip, '--limit', '3', '--shortest-edge', '48');
      expect(refused).toMatchObject({ code: 1 });
      expect(refused.errors).not.toContain('Unexpected error');
    } finally {
      await writeFile(picture, square);
    }
  });

  it('trains over a graph in an ONNX file with its image processor, which the run keeps', async () => {
    const vision = { config: { type: 'onnx', file: 'tower.onnx' }, imageProcessor: 'preprocessor_config.json' };
    const run = await trained('graph', vision);
    const resolved = await readJson<TrainingConfig>(join(run, 'config.json'));
    expect(resolved.vision.config).toMatchObject({ type: 'onnx', file: join(folder, 'tower.onnx'), imageSize: 32 });
    expect(resolved.vision.imageProcessor).toMatchObject({ mean: [0.5, 0.5, 0.5], resize: { width: 32, height: 32 } });
    expect((await readdir(join(run, 'model', 'vision'))).sort()).toEqual(['tower.onnx', 'tower.onnx.data']);

    // The model does not need the file that it was trained over.
    await rename(join(folder, 'tower.onnx'), join(folder, 'elsewhere.onnx'));
    const model = await loadModel(join(run, 'model'), { kind: 'vision-language' });
    expect(model.vision).toBeInstanceOf(OnnxVisionEncoder);
    const { code, output } = await ocelli('eval', run);
    expect(code).toBe(0);
    expect(output).toContain('evaluation-test.json');
    await rename(join(folder, 'elsewhere.onnx'), join(folder, 'tower.onnx'));

    const again = join(folder, 'again');
    expect(await ocelli('train', join(run, 'config.json'), '--out', again)).toMatchObject({ code: 0 });
    const [first, second] = await Promise.all(
      [run, again].map((each) => readFile(join(each, 'model', 'model.safetensors'))),
    );
    expect(second!.equals(first!)).toBe(true);
  });

  it('refuses weights for a graph, and a stage that trains it alone', async () => {
    const vision = { config: { type: 'onnx', file: 'tower.onnx' } };
    const refused = async (change: object) => {
      const file = await writeConfig(folder, { ...tinyConfig, vision, ...change }, 'refused.yaml');
      return ocelli('train', file, '--out', join(folder, 'refused'));
    };
    const weights = await refused({ vision: { ...vision, weights: 'world' } });
    expect(weights).toMatchObject({ code: 1 });
    expect(weights.errors).toMatch(/\(vision\.weights\): expected none beside onnx/);
    const stage = await refused({ stages: [{ ...firstStage, trainable: ['vision'] }] });
    expect(stage).toMatchObject({ code: 1 });
    expect(stage.errors).toMatch(/\(stages\.0\.trainable\)/);
    expect(stage.errors).not.toContain('Unexpected error');
  });
});
