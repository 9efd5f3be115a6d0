import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeEngine } from '@ocelli/core-tensor';
import { buildTokenizer, decodeImage, encodePng, saveTokenizer, solidImage } from '@ocelli/data';
import { MoaiModel, saveModel } from '@ocelli/vlm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/command-line.js';
import { memoryTerminal } from '../memory-terminal.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'visualize-moai-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await closeEngine();
});

async function run(...args: string[]) {
  const terminal = memoryTerminal();
  const exitCode = await runCommandLine(['visualize', 'moai', ...args], terminal);
  return { exitCode, output: terminal.output, errors: terminal.errors };
}

describe('ocelli visualize moai', () => {
  it('draws the gates of a model for an example, which its findings change', async () => {
    const model = join(folder, 'model');
    const image = join(folder, 'red.png');
    const files = buildTokenizer(['What is it?'], { vocabularySize: 300 });
    const moai = new MoaiModel({
      vision: {
        type: 'clip',
        hiddenSize: 8,
        intermediateSize: 8,
        numHiddenLayers: 1,
        numAttentionHeads: 2,
        imageSize: 16,
        patchSize: 8,
      },
      language: {
        vocabSize: 300,
        hiddenSize: 8,
        intermediateSize: 8,
        numHiddenLayers: 3,
        numAttentionHeads: 2,
        initializerRange: 0.5,
      },
      compressor: { depth: 1, numHeads: 2, headDim: 4, numLatents: 2, initializerRange: 0.5 },
      mixers: { layers: [0, 2], numHeads: 2, rank: 2, initializerRange: 0.9 },
      partialLora: null,
    }).initialize(2);
    await saveModel(model, moai);
    await saveTokenizer(files, model);
    await writeFile(image, await encodePng(solidImage({ width: 20, height: 12 }, [200, 0, 0])));
    const findings = join(folder, 'findings.json');
    await writeFile(findings, JSON.stringify({ lines: [{ text: 'STOP', confidence: 1 }] }));

    const example = ['--image', image, '--text', 'What is it?'];
    const nothing = await run(model, ...example, '--out', join(folder, 'gates'));
    expect([nothing.errors, nothing.exitCode]).toEqual(['', 0]);
    expect(nothing.output).toMatch(/image: mean gate\n +layer +aux +language +self\n +0 +0\.\d+ .*\n +2 +0\.\d+ /);
    expect(nothing.output).toMatch(/language: mean gate\n +layer +aux +image +self\n/);
    const svg = await readFile(join(folder, 'gates.svg'), 'utf8');
    expect(svg.match(/<rect /g)).toHaveLength(1 + 2 * 2 * 3);
    const png = await decodeImage(join(folder, 'gates.png'));
    expect(svg).toContain(`width="${png.width}" height="${png.height}"`);

    const found = await run(model, ...example, '--findings', findings, '--out', join(folder, 'found'));
    const layerOf = (output: string, layer: number) =>
      output.split('\n').filter((line) => line.startsWith(`      ${layer}`));
    expect(layerOf(found.output, 0)).toEqual(layerOf(nothing.output, 0));
    expect(layerOf(found.output, 2)).not.toEqual(layerOf(nothing.output, 2));
  });

  it('draws tables of a file, and refuses others', async () => {
    const file = join(folder, 'gates.json');
    const table = { name: 'image', layers: [7], levels: ['aux', 'language', 'self'], weights: [[0.5, 0.2, 0.3]] };
    await writeFile(file, JSON.stringify([table]));
    const drawn = await run(file, '--out', join(folder, 'table.svg'));
    expect([drawn.errors, drawn.exitCode]).toEqual(['', 0]);
    expect(await readFile(join(folder, 'table.svg'), 'utf8')).toContain('>0.200<');
    await writeFile(file, JSON.stringify([{ ...table, layers: [7, 15] }]));
    const refused = await run(file, '--out', join(folder, 'other.svg'));
    expect(refused.exitCode).not.toBe(0);
    expect(refused.errors).toContain('rows and columns must fit their names');
  });

  it('asks for an example', async () => {
    const { exitCode, errors } = await run(join(folder, 'model'), '--out', join(folder, 'none.svg'));
    expect(exitCode).not.toBe(0);
    expect(errors).toContain('--image and --text');
  });
});
