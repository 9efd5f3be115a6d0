import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closeEngine, saveWeights } from '@ocelli/core-tensor';
import { ClipVisionTower } from '@ocelli/encoders';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateWorld, ocelli, readJson, temporaryFolder, tinyConfig, writeConfig } from './tiny-run.js';

let folder: string;
let out: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  out = join(folder, 'run');
  await generateWorld(folder);
});

afterAll(() => closeEngine());

/** Trains with a configuration; what is said about it. Nothing may be left behind. */
async function refusal(config: object): Promise<{ code: number; errors: string; file: string }> {
  const file = await writeConfig(folder, config);
  const { code, output, errors } = await ocelli('train', file, '--out', out);
  expect(output).toBe('');
  expect(existsSync(out)).toBe(false);
  return { code, errors, file };
}

const [firstStage, secondStage] = tinyConfig.stages;

describe('ocelli train with a bad configuration', () => {
  it.each<[string, object, RegExp]>([
    ['an unknown key', { learningRate: 1 }, /unknown key "learningRate"/],
    ['an unknown key of a stage', { stages: [{ ...firstStage, lr: 1 }] }, /unknown key "stages\.0\.lr"/],
    ['an unknown key of a part', { vision: { config: { width: 16 } } }, /\(vision\.config\): .*unknown key "width"/],
    [
      'an unknown key of the projector',
      { projector: { type: 'mlp', layers: 2 } },
      /\(projector\): .*unknown key "layers"/,
    ],
    ['an unknown projector', { projector: { type: 'mpl' } }, /\(projector\): .*a type among linear, mlp, .*"mpl"/],
    ['a missing key', { stages: undefined }, /stages: /],
    ['a value of another type', { maximumLength: '2k' }, /maximumLength: .*"2k"/],
    ['an unknown template', { template: 'vicuna' }, /template: expected one of .*vicuna_v1.*"vicuna"/],
    [
      'two tokenizers',
      { tokenizer: { folder: 'a', vocabularySize: 300 } },
      /tokenizer: needs either folder or vocabularySize/,
    ],
    [
      'a vocabulary without room for bytes',
      { tokenizer: { vocabularySize: 200 } },
      /\(tokenizer\.vocabularySize\): .*at least 260/,
    ],
    [
      'no tokenizer in its folder',
      { tokenizer: { folder: 'world' } },
      /\(tokenizer\.folder\): .*world\/tokenizer\.json.*ENOENT/,
    ],
    [
      'a vocabulary that is too small',
      { language: { config: { ...tinyConfig.language.config, vocabSize: 280 } } },
      /\(language\.config\.vocabSize\): expected at least 300, .*received 280/,
    ],
    ['parts that do not fit', { projector: { type: 'mlp', languageWidth: 24 } }, /languageWidth of 16.* received 24/],
    [
      'a layer that is not there',
      { vision: { ...tinyConfig.vision, featureLayer: 5 } },
      /\(vision\.featureLayer\): expected a layer between -3 and 2, received 5/,
    ],
    ['an unknown encoder', { vision: { config: { type: 'resnet' } } }, /\(vision\.config\): .*among clip, .*"resnet"/],
    [
      'a graph that is not there',
      { vision: { config: { type: 'onnx', file: 'tower.onnx' } } },
      /\(vision\.config\.file\): .*tower\.onnx \(ENOENT\)/,
    ],
    [
      'a graph that is none',
      { vision: { config: { type: 'onnx', file: 'world/test.json' } } },
      /\(vision\.config\): expected an ONNX model/,
    ],
    [
      'an image processor that is not there',
      { vision: { ...tinyConfig.vision, imageProcessor: 'preprocessor_config.json' } },
      /\(vision\.imageProcessor\): .*preprocessor_config\.json \(ENOENT\)/,
    ],
    [
      'an image processor that makes other sizes',
      { vision: { ...tinyConfig.vision, imageProcessor: { resize: { shortestEdge: 32 } } } },
      /\(vision\.imageProcessor\): .*32 × 32 pixels, .*received one that makes 32 × 64 of 32 × 64/,
    ],
    [
      'data that is not there',
      { data: { ...tinyConfig.data, test: { file: 'world/tests.json' } } },
      /\(data\.test\.file\): .*world\/tests\.json \(ENOENT\)/,
    ],
    [
      'images that are not there',
      { data: { ...tinyConfig.data, test: { file: 'world/test.json', imageRoot: 'pictures' } } },
      /\(data\.test\.imageRoot\): .*pictures \(ENOENT\)/,
    ],
    [
      'weights that are not there',
      { vision: { ...tinyConfig.vision, weights: 'clip' } },
      /\(vision\.weights\): .*clip \(ENOENT\)/,
    ],
    [
      'data of an unknown name',
      { stages: [{ ...firstStage, data: 'caption' }] },
      /\(stages\.0\.data\): expected one of captions, questions, test, received "caption"/,
    ],
    ['a name that is no file name', { data: { '../test': { file: 'world/test.json' } } }, /data\.\.\.\/test: /],
    [
      'two stages of a name',
      { stages: [firstStage, { ...secondStage, name: 'captions' }] },
      /stages: stages need different names/,
    ],
    [
      'a batch of more samples than there are',
      { stages: [{ ...firstStage, batchSize: 25 }] },
      /\(stages\.0\.batchSize\): .*25, with 24 in captions/,
    ],
    [
      'a pattern that matches nothing',
      { stages: [firstStage, { ...secondStage, trainable: ['projektor'] }] },
      /\(stages\.1\.trainable\): .*projektor/,
    ],
    [
      'a pattern of what stays frozen that matches nothing',
      { stages: [firstStage, { ...secondStage, frozen: ['visoin'] }] },
      /\(stages\.1\.frozen\): .*visoin/,
    ],
    [
      'a stage whose parameters are all frozen',
      { stages: [{ ...firstStage, frozen: ['*'] }] },
      /\(stages\.0\.frozen\): expected patterns that leave parameters to train/,
    ],
    ['an unknown grid', { grid: 'anyres_max_8' }, /grid: expected one of anyres, anyres_max_9/],
    ['canvases that are none', { grid: { candidates: '3 by 3' } }, /\(grid\): .*"3 by 3"/],
    [
      'canvases of no whole number of tiles',
      { stages: [{ ...firstStage, grid: { candidates: [{ width: 64, height: 48 }] } }] },
      /\(stages\.0\.grid\): .*64x48 is no whole number of tiles of 32 pixels/,
    ],
    [
      'tiles that the encoder does not take',
      { grid: { tile: 64, candidates: '(1x1),...,(2x2)' } },
      /\(grid\.tile\): expected 32, .*received 64/,
    ],
    ['a grid without newlines', { grid: 'anyres', imageNewline: false }, /\(imageNewline\): expected true/],
    [
      'newlines where tokens have no rows',
      { grid: 'anyres', projector: { type: 'mlp', endTokens: 1 } },
      /\(imageNewline\): .*square map/,
    ],
    [
      'samples that are not to be chosen so',
      { stages: [{ ...firstStage, data: [{ name: 'captions', sampling: 'last:3' }] }] },
      /stages\.0\.data\.0\.sampling: expected all, or first, end or random .*"last:3"/,
    ],
    [
      'a batch of more samples than are chosen',
      { stages: [{ ...firstStage, data: [{ name: 'captions', sampling: 'end:3' }] }] },
      /\(stages\.0\.batchSize\): .*4, with 3 in captions/,
    ],
    [
      'weights of joined data',
      { stages: [firstStage, { ...secondStage, mixing: 'joined' }] },
      /stages\.1\.data: joined data has no weights/,
    ],
    [
      'grouping what is drawn by weight',
      { stages: [firstStage, { ...secondStage, groupByLength: true }] },
      /stages\.1\.groupByLength: .*set mixing to joined/,
    ],
  ])('refuses %s by file and key, and writes nothing', async (_, change, message) => {
    const { code, errors, file } = await refusal({ ...tinyConfig, ...change });
    expect(code).toBe(1);
    expect(errors).toMatch(message);
    expect(errors.startsWith(`read ${file}`)).toBe(true);
    expect(errors).not.toContain('Unexpected error');
  });

  it('names a file that is missing or no YAML', async () => {
    const missing = join(folder, 'missing.yaml');
    expect(await ocelli('train', missing, '--out', out)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^read .*missing\.yaml: .*ENOENT/),
    });
    const broken = join(folder, 'broken.yaml');
    await writeFile(broken, 'stages: [\n  name: x');
    expect(await ocelli('train', broken, '--out', out)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^read .*broken\.yaml: .*line 2/s),
    });
    await writeFile(broken, '');
    expect(await ocelli('train', broken, '--out', out)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^read .*broken\.yaml: .*expected object, received null/s),
    });
    expect(existsSync(out)).toBe(false);
  });

  it('lists what does not fit in weights of another model', async () => {
    const other = new ClipVisionTower({ ...tinyConfig.vision.config, hiddenSize: 32, numHiddenLayers: 1 }).initialize(
      1,
    );
    await saveWeights(join(folder, 'other-tower'), other);
    const { code, errors } = await refusal({ ...tinyConfig, vision: { ...tinyConfig.vision, weights: 'other-tower' } });
    expect(code).toBe(1);
    expect(errors).toMatch(/missing.*layers\.1\./s);
    expect(errors).toMatch(/\[32, 3, 16, 16\]/);
    expect(errors).not.toContain('Unexpected error');
  });

  it('names a sample that is malformed, and the file', async () => {
    const records = await readJson<{ id: string; conversations: { from: string }[] }[]>(
      join(folder, 'world/train.json'),
    );
    records[3]!.conversations[0]!.from = 'bot';
    await writeFile(join(folder, 'malformed.json'), JSON.stringify(records));
    const data = { ...tinyConfig.data, questions: { file: 'malformed.json', imageRoot: 'world' } };
    const { code, errors } = await refusal({ ...tinyConfig, data });
    expect(code).toBe(1);
    expect(errors).toMatch(new RegExp(`malformed\\.json \\(${records[3]!.id}\\): expected a role .*"bot"`));
    expect(errors).not.toContain('Unexpected error');
  });
});

describe('ocelli train with a damaged image', () => {
  it('names the image and its sample, writes no model, and goes on when it is repaired', async () => {
    const image = join(folder, 'world/images/train/000005.png');
    const copy = join(folder, 'copy.png');
    await copyFile(image, copy);
    await writeFile(image, (await readFile(copy)).subarray(0, 60));
    const stages = [{ ...firstStage, steps: 2, batchSize: 24 }];
    const config = await writeConfig(folder, { ...tinyConfig, stages }, 'damaged.yaml');
    const run = join(folder, 'damaged');

    const { code, errors } = await ocelli('train', config, '--out', run);
    expect(code).toBe(1);
    expect(errors).toMatch(/train-000005.*expected to read the image .*images\/train\/000005\.png/);
    expect(errors).not.toContain('Unexpected error');
    expect(existsSync(join(run, 'model'))).toBe(false);
    expect(await readdir(join(run, 'checkpoints'))).toEqual([]);
    const left = await readdir(run, { recursive: true });
    expect(left.filter((name) => /tmp|partial/.test(name))).toEqual([]);

    const black = await writeConfig(folder, { ...tinyConfig, stages, brokenImages: 'black' }, 'black.yaml');
    const trained = await ocelli('train', black, '--out', join(folder, 'black'));
    expect(trained).toMatchObject({ code: 0, errors: '' });
    expect(trained.output).toMatch(/A black image instead of .*000005\.png, of sample train-000005/);

    await rename(copy, image);
    expect((await ocelli('train', config, '--out', run)).errors).toMatch(/Continue it with --resume/);
    expect(await ocelli('train', config, '--out', run, '--resume')).toMatchObject({ code: 0, errors: '' });
    expect(existsSync(join(run, 'model', 'model.safetensors'))).toBe(true);
  });
});

describe('ocelli eval', () => {
  it.each([
    [
      'no folder',
      undefined,
      /expected the folder of a run with a trained model, received none: .*config\.json does not exist/,
    ],
    ['the folder of a reproduction', 'recipe.json', /received that of a reproduction.*runs\/VARIANT\/seed-N/],
    [
      'a run without a model',
      'config.json',
      /received one without .*model\/config\.json\. Finish the training with --resume/,
    ],
  ])('refuses %s', async (name, file, message) => {
    const run = join(folder, name);
    if (file !== undefined) {
      await mkdir(run);
      await writeFile(join(run, file), '{}');
    }
    const { code, output, errors } = await ocelli('eval', run);
    expect(code).toBe(1);
    expect(output).toBe('');
    expect(errors).toMatch(message);
    expect(existsSync(join(run, 'evaluation-test.json'))).toBe(false);
  });

  it('names data that was moved, a sample whose types do not fit, and a damaged model', async () => {
    const run = join(folder, 'finished');
    const config = await writeConfig(folder, { ...tinyConfig, stages: [{ ...firstStage, steps: 1 }] });
    expect(await ocelli('train', config, '--out', run)).toMatchObject({ code: 0 });
    const test = join(folder, 'world/test.json');

    const text = await readFile(test, 'utf8');
    await rm(test);
    expect(await ocelli('eval', run)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/config\.json \(data\.test\.file\): .*test\.json \(ENOENT\)/),
    });
    const records = JSON.parse(text) as { id: string; question_types: string[] }[];
    records[1]!.question_types = ['existence'];
    await writeFile(test, JSON.stringify(records));
    expect(await ocelli('eval', run)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/test\.json \(test-000002\): expected question_types .*2 questions/),
    });
    await writeFile(test, text);

    const weights = join(run, 'model', 'model.safetensors');
    await writeFile(weights, (await readFile(weights)).subarray(0, 5000));
    const { code, errors } = await ocelli('eval', run);
    expect(code).toBe(1);
    expect(errors).toContain(weights);
    expect(errors).not.toContain('Unexpected error');
    expect(existsSync(join(run, 'evaluation-test.json'))).toBe(false);
  });
});

describe('ocelli reproduce', () => {
  it('lists the recipes where it is given an unknown name', async () => {
    const { code, output, errors } = await ocelli('reproduce', 'honeybe', '--out', out);
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(errors).toMatch(/^recipe: expected one of .*honeybee.*, received "honeybe"\. Did you mean honeybee\?\n$/);
    expect(existsSync(out)).toBe(false);
  });
});
