import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closeEngine } from '@ocelli/core-tensor';
import { loadModel } from '@ocelli/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainingConfig } from '../../src/train/config.js';
import { generateWorld, ocelli, readJson, temporaryFolder, tinyConfig, writeConfig } from './tiny-run.js';

const [, questions] = tinyConfig.stages;

const managedConfig = {
  ...tinyConfig,
  model: { kind: 'managed', managers: { select: { start: 0, end: 2 }, inject: { interval: 1, end: 2 } } },
  vision: { config: { type: 'siglip', visionUseHead: false, ...tinyConfig.vision.config } },
  language: { config: { ...tinyConfig.language.config, numHiddenLayers: 2 } },
  stages: [
    {
      ...questions,
      trainable: ['decoder'],
      groups: [{ parameters: ['decoder.managers'], learningRate: 1e-2 }],
      steps: 6,
    },
  ],
};

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await generateWorld(folder);
});
afterAll(closeEngine);

async function run(name: string, config: object) {
  const out = join(folder, name);
  const file = await writeConfig(folder, config, `${name}.yaml`);
  return { out, ...(await ocelli('train', file, '--out', out)) };
}

describe('ocelli train of a model with managers', () => {
  it('trains them, asks the model, and goes through again from the resolved configuration', async () => {
    const { out, ...result } = await run('static', managedConfig);
    expect(result).toMatchObject({ code: 0, errors: '' });
    const model = await loadModel(join(out, 'model'), { kind: 'managed' });
    expect(model.decoder.managers.layers).toEqual([0, 1]);
    for (const manager of model.decoder.managers.manager) {
      const weights = (await manager.weights().data()) as Float32Array;
      expect(Math.max(...weights.map(Math.abs))).toBeGreaterThan(1e-3);
    }
    const resolved = await readJson<TrainingConfig>(join(out, 'config.json'));
    expect(resolved.model).toMatchObject({
      kind: 'managed',
      managers: { type: 'static', select: { start: 0, end: 2 } },
    });
    expect((await ocelli('eval', out, '--limit', '4')).code).toBe(0);
    const { answers } = await readJson<{ answers: unknown[] }>(join(out, 'evaluation-test.json'));
    expect(answers).toHaveLength(4);

    const again = join(folder, 'again');
    expect((await ocelli('train', join(out, 'config.json'), '--out', again)).code).toBe(0);
    const [first, second] = await Promise.all(
      [out, again].map((each) => readFile(join(each, 'model', 'model.safetensors'))),
    );
    expect(second!.equals(first!)).toBe(true);
  });

  it('trains adaptive ones over grids of tiles, whose newline it has', async () => {
    const { select, inject } = managedConfig.model.managers;
    const { out, ...result } = await run('grid', {
      ...managedConfig,
      model: { kind: 'managed', managers: { select, inject, type: 'adaptive-cross' } },
      grid: { candidates: '(1x1),(2x1)' },
      stages: [{ ...managedConfig.stages[0]!, steps: 2 }],
    });
    expect(result).toMatchObject({ code: 0, errors: '' });
    const model = await loadModel(join(out, 'model'), { kind: 'managed' });
    expect(model.decoder.image_newline!.shape).toEqual([16]);
    expect((await ocelli('eval', out, '--limit', '2')).code).toBe(0);
    const refused = await ocelli('eval', out, '--limit', '2', '--shortest-edge', '48');
    expect(refused.code).toBe(1);
    expect(refused.errors).toContain('a model without managers');
  });

  it('names what does not fit', async () => {
    const { model, vision } = managedConfig;
    const cases: [RegExp, object][] = [
      [/model\.kind/, { model: { kind: 'two-towers' } }],
      [/\(model\).*levels of the encoder/, { model: { ...model, managers: { select: { start: 13, end: 26 } } } }],
      [/\(model\).*"jitters"/, { model: { ...model, managers: { jitters: 'none' } } }],
      [/\(vision\.featureLayer\)/, { vision: { ...vision, featureLayer: -2 } }],
    ];
    for (const [expected, change] of cases) {
      const { code, errors } = await run('refused', { ...managedConfig, ...change });
      expect(code).toBe(1);
      expect(errors).toMatch(expected);
      expect(errors).not.toContain('Unexpected error');
    }
  });
});
