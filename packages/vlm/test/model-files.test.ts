import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  applyLora,
  CheckpointError,
  closeEngine,
  loadWeights,
  mergeLora,
  type OcelliError,
  openCheckpoint,
  quantizationOf,
  quantizeModule,
  saveWeights,
} from '@ocelli/core-tensor';
import { ClipVisionTower } from '@ocelli/encoders';
import type { ProjectorType } from '@ocelli/projectors';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { loadModel, ManagedVisionLanguageModel, saveModel, VisionLanguageModel } from '../src/index.js';
import { difference, projectorConfigs, smallBatch, smallConfig, smallTower, visualTokens } from './support.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-vlm-'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
  await closeEngine();
});

function smallModel(type: ProjectorType = 'linear'): VisionLanguageModel {
  return new VisionLanguageModel(smallConfig(type)).initialize(11);
}

async function failure(promise: Promise<unknown>): Promise<OcelliError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  return error as OcelliError;
}

describe('a saved model', () => {
  test.each(Object.keys(projectorConfigs) as ProjectorType[])(
    'with a %s projector computes the same, and its weights are saved again byte for byte',
    async (type) => {
      const [first, second] = [join(root, `${type}-1`), join(root, `${type}-2`)];
      const model = smallModel(type);
      await saveModel(first, model);
      const loaded = await loadModel(first, { kind: 'vision-language' });
      const batch = smallBatch(visualTokens[type]);
      expect(await difference(loaded.forward(batch), model.forward(batch))).toBe(0);

      await saveModel(second, loaded);
      const names = (await readdir(first)).sort();
      expect(names).toEqual(['config.json', 'model.safetensors']);
      expect((await readdir(second)).sort()).toEqual(names);
      expect((await loadModel(second)).config).toEqual(model.config);
      const weights = names[1]!;
      expect((await readFile(join(second, weights))).equals(await readFile(join(first, weights)))).toBe(true);
    },
  );

  it('replaces the one that the folder held', async () => {
    const folder = join(root, 'replaced');
    await saveModel(folder, smallModel());
    await saveModel(folder, smallModel('mlp'));
    expect((await loadModel(folder, { kind: 'vision-language' })).config.projector.type).toBe('mlp');
  });

  it('is refused where its folder cannot be', async () => {
    const file = join(root, 'file');
    await writeFile(file, '');
    expect((await failure(saveModel(join(file, 'inner'), smallModel()))).message).toContain(file);
    expect(await readFile(file, 'utf8')).toBe('');
  });
});

describe('parts of a model', () => {
  it('load from a file of the part alone, and from one of the whole model', async () => {
    const folder = join(root, 'parts');
    const tower = new ClipVisionTower(smallTower).initialize(7);
    await saveWeights(join(folder, 'tower'), tower);
    const model = smallModel();
    await loadWeights(model.vision, join(folder, 'tower'));
    const { pixelValues } = smallBatch(4);
    expect(await difference(model.vision.features(pixelValues), tower.features(pixelValues))).toBe(0);

    await saveModel(join(folder, 'model'), model);
    const copy = new ClipVisionTower(smallTower).initialize(8);
    await loadWeights(copy, join(folder, 'model', 'model.safetensors'), { prefix: 'vision.' });
    expect(await difference(copy.features(pixelValues), tower.features(pixelValues))).toBe(0);
  });
});

describe('loading', () => {
  it('refuses a folder that is not there', async () => {
    const folder = join(root, 'nowhere');
    const { message } = await failure(loadModel(folder));
    expect(message).toContain(join(folder, 'config.json'));
    expect(message).toContain('Name a folder that saveModel wrote.');
    expect((await failure(loadWeights(smallModel(), folder))).message).toContain(folder);
  });

  test.each([
    ['{ "vision": {', /JSON/],
    ['[]', /expected the configuration of a model, as JSON, received no object/],
    ['{}', /vision: .*; projector: .*; language: /],
    [JSON.stringify({ ...smallConfig(), heads: 3 }), /unknown key "heads"/],
    [JSON.stringify({ ...smallConfig(), projector: { type: 'q-former' } }), /linear, mlp, resampler, c-abstractor/],
    [JSON.stringify({ ...smallConfig(), vision: { hiddenSize: 'wide' } }), /hiddenSize: .*\(received "wide"\)/],
  ])('refuses the damaged configuration %s', async (text, message) => {
    const folder = join(root, 'damaged');
    await saveModel(folder, smallModel());
    await writeFile(join(folder, 'config.json'), text);
    const error = await failure(loadModel(folder));
    expect(error.message).toContain(join(folder, 'config.json'));
    expect(error.message).toMatch(message);
  });

  it('lists the names where the weights are those of another model', async () => {
    const folder = join(root, 'other');
    await saveModel(folder, smallModel());
    const config = { ...smallConfig('mlp'), language: { ...smallConfig().language, intermediateSize: 21 } };
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const { message } = await failure(loadModel(folder));
    expect(message).toMatch(/missing: projector\.eos_tokens, projector\./);
    expect(message).toMatch(
      /language\.model\.layers\.\{0\.\.1\}\.mlp\.gate_proj\.weight: \[20, 12\] instead of \[21, 12\]/,
    );
  });

  it('changes nothing where the weights do not fit', async () => {
    const folder = join(root, 'unfit');
    await saveModel(folder, smallModel());
    const model = smallModel('mlp').initialize(4);
    const { pixelValues } = smallBatch(5);
    const before = model.encodeImages(pixelValues);
    await before.data();
    await failure(loadWeights(model, folder));
    expect(await difference(model.encodeImages(pixelValues), before)).toBe(0);
  });

  it('refuses weights that are cut off', async () => {
    const folder = join(root, 'cut');
    await saveModel(folder, smallModel());
    const file = join(folder, 'model.safetensors');
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length / 2));
    expect((await failure(loadModel(folder))).message).toContain(file);
  });
});

describe('a model of another kind', () => {
  const managed = () =>
    new ManagedVisionLanguageModel({
      vision: { ...smallTower, visionUseHead: false },
      language: smallConfig().language,
      managers: { select: { start: 0, end: 2 }, inject: { interval: 1, end: 2 } },
    }).initialize(2);

  it('is saved with managers under its own names, or under the published ones', async () => {
    const model = managed();
    for (const names of ['own', 'published'] as const) {
      const folder = join(root, `managed-${names}`);
      await saveModel(folder, model, { names });
      const checkpoint = await openCheckpoint(folder);
      const isPublished = checkpoint.keys().includes('model.mm_projector.0.weight');
      await checkpoint.close();
      expect(isPublished).toBe(names === 'published');
      const loaded = await loadModel(folder, { kind: 'managed' });
      expect(loaded.config).toEqual(model.config);
      expect(await loaded.state()).toEqual(await model.state());
    }
  });

  it('is refused where one of a certain kind is wanted, and where its kind is unknown', async () => {
    const folder = join(root, 'kinds');
    await saveModel(folder, managed());
    const { message } = await failure(loadModel(folder, { kind: 'moai' }));
    expect(message).toMatch(/a model of type moai, as JSON, received that of a model of type "managed"/);
    const file = join(folder, 'config.json');
    const config = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...config, type: 'mangaed' }));
    expect((await failure(loadModel(folder))).message).toMatch(
      /vision-language, managed, moai, two-tower, .*"mangaed"/,
    );
    await writeFile(file, JSON.stringify({ ...config, names: 'other' }));
    expect((await failure(loadModel(folder))).message).toContain('names "other"');
  });

  it('has no published names if it is put together freely', async () => {
    const folder = join(root, 'unpublished');
    await expect(saveModel(folder, smallModel(), { names: 'published' })).rejects.toThrow(/managed, moai or two-tower/);
    await expect(readdir(folder)).rejects.toThrow(/ENOENT/);
  });
});

describe('weights that are not plain', () => {
  it('are saved and loaded where they are quantized', async () => {
    const folder = join(root, 'quantized');
    const model = smallModel();
    await quantizeModule(model.language, { bits: 4, blockSize: 16 });
    await saveModel(folder, model);
    const loaded = await loadModel(folder, { kind: 'vision-language' });
    expect(quantizationOf(loaded)).toEqual(quantizationOf(model));
    expect(Object.keys(quantizationOf(loaded)).length).toBeGreaterThan(0);
    const batch = smallBatch(visualTokens.linear);
    expect(await difference(loaded.forward(batch), model.forward(batch))).toBe(0);
  });

  it('are refused where they are low-rank adapters, until these are merged', async () => {
    const folder = join(root, 'adapted');
    const model = smallModel();
    applyLora(model.language, { initLoraWeights: false });
    await expect(saveModel(folder, model)).rejects.toThrow(/without low-rank adapters, .*saveLora, .*mergeLora/);
    await expect(readdir(folder)).rejects.toThrow(/ENOENT/);
    const batch = smallBatch(visualTokens.linear);
    await mergeLora(model);
    await saveModel(folder, model);
    const loaded = await loadModel(folder, { kind: 'vision-language' });
    expect(await difference(loaded.forward(batch), model.forward(batch))).toBe(0);
  });

  it('are refused where they are quantized and shall have published names', async () => {
    const model = new ManagedVisionLanguageModel({
      vision: { ...smallTower, visionUseHead: false },
      language: smallConfig().language,
      managers: { select: { start: 0, end: 2 }, inject: { interval: 1, end: 2 } },
    }).initialize(2);
    await quantizeModule(model.decoder.language, { bits: 4, blockSize: 16 });
    const saved = saveModel(join(root, 'packed'), model, { names: 'published' });
    await expect(saved).rejects.toThrow(/is quantized\. Save it under its own names, or use dequantizeModule/);
  });
});
