import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeEngine, saveWeights } from '@ocelli/core-tensor';
import { buildTokenizer, decodeImage, encodePng, saveTokenizer, solidImage } from '@ocelli/data';
import { type ManagerType, ResidualManagers, residualManagersConfigFromOfficial } from '@ocelli/manager';
import { ManagedVisionLanguageModel, saveModel, TwoTowerModel } from '@ocelli/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/command-line.js';
import { drawHeatmaps } from '../../src/visualize/heatmap.js';
import { memoryTerminal } from '../memory-terminal.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'visualize-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await closeEngine();
});

async function run(...args: string[]) {
  const terminal = memoryTerminal();
  const exitCode = await runCommandLine(['visualize', 'manager', ...args], terminal);
  return { exitCode, output: terminal.output, errors: terminal.errors };
}

const table = {
  name: 'text',
  layers: [0, 1],
  levels: ['11', '12', 'C'],
  weights: [
    [0.25, 0.75, null],
    [0.5, 0.5, -2],
  ],
};

describe('drawHeatmaps', () => {
  const map = {
    title: '<b>',
    rows: { name: 'layer', labels: ['0', '1'] },
    columns: { name: 'level', labels: ['11', '12', 'C'] },
    values: table.weights,
  };

  it('colours cells by their size, crosses out what is not there, and escapes names', () => {
    const { svg, width, height } = drawHeatmaps([map]);
    expect(svg).toContain(`width="${width}" height="${height}"`);
    expect(svg.match(/<rect /g)).toHaveLength(1 + 6);
    expect(svg.match(/<path /g)).toHaveLength(1);
    expect(svg).toContain('rgb(213, 94, 0)');
    expect(svg).toContain('>&lt;b&gt;<');
    for (const number of ['0.250', '0.750', '-2.00']) expect(svg).toContain(`>${number}<`);
  });

  it('puts several below each other', () => {
    expect(drawHeatmaps([map, map]).height).toBeGreaterThan(2 * drawHeatmaps([map]).height);
  });
});

describe('ocelli visualize manager', () => {
  it('draws level weights of a file to SVG and PNG', async () => {
    const file = join(folder, 'weights.json');
    await writeFile(file, JSON.stringify({ text: table }));
    const { exitCode, output, errors } = await run(file, '--out', join(folder, 'new/picture'));
    expect([errors, exitCode]).toEqual(['', 0]);
    expect(output).toContain('-2.00');
    const svg = await readFile(join(folder, 'new/picture.svg'), 'utf8');
    const image = await decodeImage(join(folder, 'new/picture.png'));
    expect(svg).toContain(`width="${image.width}" height="${image.height}"`);
    // The cell of the largest size is orange, that of the second row and third column.
    const [x, y] = [66 + 2.1 * 54, 46 + 1.15 * 30].map(Math.round) as [number, number];
    expect([...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3)]).toEqual([213, 94, 0]);
  });

  it("draws the managers of a language model, of the official checkpoint's names", async () => {
    const path = join(folder, 'ov');
    const config = {
      model_type: 'llava_qwen_manager',
      hidden_size: 4,
      num_hidden_layers: 4,
      mm_manager_type: 'static_zerouni',
      mm_manager_vision_select_layers_start: 2,
      mm_manager_vision_select_layers_interval: 1,
      mm_manager_vision_select_layers_end: 5,
      mm_manager_injection_start: 0,
      mm_manager_injection_interval: 2,
      mm_manager_injection_end: 4,
    };
    for (const type of ['static_zerouni', 'adaptive_cross_zerouni']) {
      const official = { ...config, mm_manager_type: type };
      const managers = new ResidualManagers(residualManagersConfigFromOfficial(official)).initialize(0);
      const scored =
        managers.namedParameters()[type === 'static_zerouni' ? 'manager.1.layer_scores' : 'manager.1.zero_gate']!;
      scored.set(Float32Array.from({ length: 12 }, (_, index) => (index < 4 ? 0.5 : 0)));
      await mkdir(path, { recursive: true });
      const model = {
        rules: Object.keys(managers.namedParameters()).map((name) => ({ key: `model.${name}`, parameter: name })),
      };
      await saveWeights(path, managers, { keyMap: model });
      await writeFile(join(path, 'config.json'), JSON.stringify(official));
      const { exitCode, output, errors } = await run(path, '--out', join(folder, `${type}.svg`));
      expect([errors, exitCode]).toEqual(['', 0]);
      expect(output).toMatch(/layer +2 +3 +4\n +0 +0 +0 +-\n +2 +0\.500 +0 +0\n/);
    }
  });

  it('draws those of a language model over the stages of a ConvNeXt', async () => {
    const path = join(folder, 'stages');
    const model = new ManagedVisionLanguageModel({
      vision: { type: 'convnext', depths: [1, 1], hiddenSizes: [4, 8], patchSize: 2, imageSize: 8 },
      language: { vocabSize: 24, hiddenSize: 8, intermediateSize: 8, numHiddenLayers: 2, numAttentionHeads: 2 },
      managers: { select: { start: 1, end: 3 }, inject: { interval: 1, end: 2 } },
    }).initialize(0);
    const scored = model.decoder.managers.namedParameters()['manager.1.layer_scores']!;
    scored.set(Float32Array.from({ length: 16 }, (_, index) => (index < 8 ? 0.5 : 0)));
    await saveModel(path, model);
    const { exitCode, output, errors } = await run(path, '--out', join(folder, 'stages.svg'));
    expect([errors, exitCode]).toEqual(['', 0]);
    expect(output).toMatch(/layer +1 +2\n +0 +0 +-\n +1 +0\.500 +0\n/);
  });

  it('draws those of two towers, adaptive ones by what they see', async () => {
    const tokenizer = buildTokenizer(['a red circle'], { vocabularySize: 300 });
    await writeFile(join(folder, 'red.png'), await encodePng(solidImage({ width: 20, height: 12 }, [200, 0, 0])));
    const model = async (type: ManagerType) => {
      const path = join(folder, type);
      const two = new TwoTowerModel({
        text: {
          vocabSize: 300,
          hiddenSize: 8,
          intermediateSize: 8,
          numHiddenLayers: 2,
          numAttentionHeads: 2,
          maxPositionEmbeddings: 40,
        },
        vision: {
          hiddenSize: 8,
          intermediateSize: 8,
          numHiddenLayers: 2,
          numAttentionHeads: 2,
          imageSize: 8,
          patchSize: 4,
        },
        fusion: {
          hiddenSize: 8,
          numHeads: 2,
          numLayers: 2,
          managedTextLayers: 2,
          managedImageLayers: 2,
          manager: { type },
        },
      }).initialize(0);
      await saveModel(path, two);
      await saveTokenizer(tokenizer, path);
      return path;
    };
    const fixed = await run(await model('static-unimodal'), '--out', join(folder, 'static.svg'));
    expect([fixed.errors, fixed.exitCode]).toEqual(['', 0]);
    expect(fixed.output).toMatch(
      /image: weight\n +layer +1 +2 +C\n +0 +0\.500 +0\.500 +-\n +1 +0\.500 +0\.500 +1\.00\n/,
    );

    const adaptive = await model('adaptive-unimodal');
    const blind = await run(adaptive, '--out', join(folder, 'adaptive.svg'));
    expect(blind.exitCode).toBe(2);
    expect(blind.errors).toMatch(/--image and --text/);
    expect(await readdir(folder)).not.toContain('adaptive.svg');
    const seeing = await run(
      adaptive,
      '--out',
      join(folder, 'adaptive.svg'),
      '--image',
      join(folder, 'red.png'),
      '--text',
      'a red circle',
    );
    expect([seeing.errors, seeing.exitCode]).toEqual(['', 0]);
    expect(await readdir(folder)).toContain('adaptive.svg');
  });

  it('says what it cannot draw', async () => {
    await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'qwen2' }));
    expect((await run(folder, '--out', join(folder, 'x.svg'))).errors).toMatch(/model with managers.*qwen2/);
    expect((await run(join(folder, 'nowhere'), '--out', join(folder, 'x.svg'))).exitCode).toBe(1);
    await writeFile(join(folder, 'odd.json'), JSON.stringify({ ...table, layers: [0] }));
    expect((await run(join(folder, 'odd.json'), '--out', join(folder, 'x.svg'))).errors).toMatch(/rows and columns/);
    const wrong = await run(join(folder, 'odd.json'), '--out', join(folder, 'x.gif'));
    expect([wrong.exitCode, wrong.errors]).toEqual([2, expect.stringMatching(/\.svg or \.png/)]);
  });
});
