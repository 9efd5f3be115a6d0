import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeEngine, compile, exportOnnx, type Tensor, valueAndGrad, zeros } from '@ocelli/core-tensor';
import { ClipVisionTower } from '@ocelli/encoders';
import { type ResidualManagerType, residualManagerTypes } from '@ocelli/manager';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { loadModel, saveModel, type TwoTowerConfig, TwoTowerModel } from '../src/index.js';
import { readmeMatrix } from './composition/matrix.js';
import { levelsOf, type Trial, tryManaged, tryMoai, tryTwoTower, tryVisionLanguage } from './composition/models.js';
import {
  exportedTower,
  type ProjectorPart,
  projectorParts,
  type VisionPart,
  visionParts,
} from './composition/parts.js';
import { difference, minimise } from './support.js';

let root: string;
let file: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-composition-'));
  file = join(root, 'tower.onnx');
  const tower = new ClipVisionTower(exportedTower).initialize(4);
  const features = (pixels: Tensor) => tower.features(pixels, { classToken: 'keep' });
  const inputs = { pixel_values: zeros([1, 3, 16, 16]) };
  await exportOnnx(file, ({ pixel_values }) => ({ last_hidden_state: features(pixel_values!) }), { inputs });
});
afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

type Row = readonly [
  vision: VisionPart,
  projector: ProjectorPart,
  managed: readonly [projector: ProjectorPart, type: ResidualManagerType] | undefined,
  mixer: ProjectorPart,
];

/**
 * Every vision part in every kind of model, with every projector and every kind of managers among them: also a C-Abstractor
 * over Eagle's mixture, managers over the stages of a ConvNeXt, and a mixer with a D-Abstractor.
 */
const rows: readonly Row[] = [
  ['clip', 'd-abstractor', ['linear', 'static'], 'c-abstractor'],
  ['clip-high-resolution', 'resampler', ['c-abstractor', 'adaptive'], 'linear'],
  ['siglip', 'linear', ['mlp', 'adaptive-last'], 'd-abstractor'],
  ['convnext', 'c-abstractor', ['mlp', 'adaptive-average'], 'resampler'],
  ['convnext with five stages', 'mlp', ['c-abstractor', 'adaptive-cross'], 'd-abstractor'],
  ['eva02', 'd-abstractor', ['resampler', 'static'], 'mlp'],
  ['sam', 'resampler', ['d-abstractor', 'adaptive'], 'c-abstractor'],
  ['eagle-pix2struct', 'c-abstractor', ['linear', 'adaptive-last'], 'mlp'],
  ['onnx', 'd-abstractor', undefined, 'resampler'],
  ['mixture: channel-concat', 'c-abstractor', ['c-abstractor', 'adaptive-average'], 'd-abstractor'],
  ['mixture: sequence-append', 'mlp', undefined, 'resampler'],
  ['mixture: llava-hr', 'resampler', ['mlp', 'adaptive-cross'], 'linear'],
  ['mixture: mini-gemini', 'linear', ['d-abstractor', 'static'], 'c-abstractor'],
  ['mixture: deformable', 'd-abstractor', ['resampler', 'adaptive'], 'c-abstractor'],
  ['llava-hr', 'c-abstractor', ['linear', 'adaptive-last'], 'mlp'],
];

type Builder = (file: string) => Trial;

function managedTrial(vision: VisionPart, [projector, managers]: NonNullable<Row[2]>): [string, Builder] {
  return [
    `${managers} managers with ${projector} over ${vision}`,
    (file) => tryManaged({ vision, projector, managers, levels: [0, levelsOf(vision, file)] }, file),
  ];
}

const trials: readonly (readonly [name: string, build: Builder])[] = [
  ...rows.flatMap(([vision, projector, managed, mixer], index): [string, Builder][] => [
    [`${projector} over ${vision}`, (file) => tryVisionLanguage({ vision, projector }, file)],
    [
      `mixer with ${mixer} over ${vision}`,
      (file) => tryMoai({ vision, projector: mixer, plain: index % 2 === 0 }, file),
    ],
    ...(managed ? [managedTrial(vision, managed)] : []),
  ]),
  [
    'mlp over convnext in tiles',
    (file) => tryVisionLanguage({ vision: 'convnext', projector: 'mlp', tiles: true }, file),
  ],
  [
    'managers with c-abstractor over five stages in tiles',
    (file) =>
      tryManaged({ vision: 'convnext with five stages', projector: 'c-abstractor', levels: [1, 6], tiles: true }, file),
  ],
  ['two towers with managers', () => tryTwoTower('manager')],
  ['two towers with bridges', () => tryTwoTower('bridge')],
];

/** The part of a model that a parameter belongs to. */
function partOf(name: string): string {
  return /^(vision\.(vision_towers\.\d+|fusion)|alignment\.projections\.\d+|decoder\.\w+|\w+)/.exec(name)![0];
}

describe('a model trains in all its parts, and is the same when it was saved and loaded:', () => {
  test.each(trials)('%s', async (_, build) => {
    const { model, loss, output } = build(file);
    const parameters = model.trainableParameters();
    const step = compile(() => valueAndGrad(loss, parameters));
    const largest = new Map<string, number>();
    const watched = async () => {
      const result = await step();
      for (const [name, gradient] of Object.entries(result.grads)) {
        const size = ((await gradient.data()) as Float32Array).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        largest.set(partOf(name), Math.max(size, largest.get(partOf(name)) ?? 0));
      }
      return result;
    };
    const losses = await minimise(watched, parameters, { steps: 2, learningRate: 0.0003 });
    expect(losses[1]).toBeLessThan(losses[0]!);
    for (const [part, size] of largest) expect(size, part).toBeGreaterThan(1e-7);

    const folder = await mkdtemp(join(root, 'saved-'));
    await saveModel(folder, model);
    const loaded = await loadModel(folder);
    expect(loaded.constructor).toBe(model.constructor);
    expect(await difference(output(loaded), output(model))).toBe(0);
  });
});

describe('every pair', () => {
  it('of a vision part, a projector or a kind of managers and a kind of model is among those that are trained', () => {
    const all = <Name extends string>(names: readonly Name[]) => [...new Set(names)].sort();
    const projectors = all(Object.keys(projectorParts));
    expect(all(rows.map(([vision]) => vision))).toEqual(all(Object.keys(visionParts)));
    expect(all(rows.map(([, projector]) => projector))).toEqual(projectors);
    expect(all(rows.flatMap(([, , managed]) => managed?.[0] ?? []))).toEqual(projectors);
    expect(all(rows.flatMap(([, , managed]) => managed?.[1] ?? []))).toEqual(all(residualManagerTypes));
    expect(all(rows.map(([, , , mixer]) => mixer))).toEqual(projectors);
  });

  it('is built and gives a loss, or is refused for a reason, as the README says', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const section = /<!-- matrix -->\n\n(.*?)\n\n<!-- \/matrix -->/s.exec(readme)![1];
    expect(section).toBe(readmeMatrix(file));
  });

  it('of two towers and another encoder than CLIP is refused', () => {
    const vision = { type: 'siglip' } as unknown as TwoTowerConfig['vision'];
    expect(() => new TwoTowerModel({ vision })).toThrow(/vision: must be a CLIP tower, whose class token is pooled/);
  });
});
