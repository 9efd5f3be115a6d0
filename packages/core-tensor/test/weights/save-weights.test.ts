import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  closeEngine,
  evenRows,
  type KeyMap,
  Linear,
  loadWeights,
  Module,
  openCheckpoint,
  Parameter,
  saveWeights,
  transposed,
} from '../../src/index.js';
import { temporaryFolders } from '../safetensors/files.js';

class Layer extends Module {
  readonly q = new Linear(8, 8);
  readonly k = new Linear(8, 8);
  readonly v = new Linear(8, 8);
  readonly out = new Linear(8, 4, { bias: false });
}

class Model extends Module {
  readonly layers = [new Layer(), new Layer(), new Layer()];
  readonly steps = new Parameter([1], { dtype: 'int64', trainable: false });
}

const projections = (field: string) => ['q', 'k', 'v'].map((name) => `layers.*.${name}.${field}`);
const keyMap: KeyMap = {
  rules: [
    { key: 'h.*.attn.in_proj_weight', parameter: projections('weight'), layout: evenRows(3) },
    { key: 'h.*.attn.in_proj_bias', parameter: projections('bias'), layout: evenRows(3) },
    { key: 'h.*.attn.out', parameter: 'layers.*.out.weight', layout: transposed },
  ],
  prefixes: ['model.'],
};

afterAll(() => closeEngine());

describe('saveWeights', () => {
  const newFolder = temporaryFolders();

  it('leaves out what is kept elsewhere', async () => {
    const folder = await newFolder();
    const model = new Model().initialize(3);
    await saveWeights(folder, model, { omit: ['layers.1', /\.bias$/] });
    const checkpoint = await openCheckpoint(folder);
    const keys = checkpoint.keys();
    await checkpoint.close();
    const kept = Object.keys(model.namedParameters()).filter((name) => !/^layers\.1\.|bias/.test(name));
    expect([...keys].sort()).toEqual(kept.sort());
    expect(kept).toHaveLength(9);
  });

  it('writes what loading reads, packed and transposed, in shards', async () => {
    const folder = await newFolder();
    const model = new Model().initialize(3);
    const { files, index, totalBytes } = await saveWeights(folder, model, { keyMap, maxShardBytes: 1000 });
    expect(totalBytes).toBe(4 * 3 * (3 * 72 + 32) + 8);
    expect((await readdir(folder)).sort()).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
    ]);
    expect(files.map((file) => file.slice(folder.length + 1))).toEqual((await readdir(folder)).sort().slice(0, 3));
    const { metadata, weight_map: weightMap } = JSON.parse(await readFile(index!, 'utf8')) as {
      metadata: unknown;
      weight_map: Record<string, string>;
    };
    expect(metadata).toEqual({ total_size: totalBytes });
    expect(Object.keys(weightMap).filter((key) => key.startsWith('h.1.'))).toEqual([
      'h.1.attn.in_proj_bias',
      'h.1.attn.in_proj_weight',
      'h.1.attn.out',
    ]);
    const reader = await openCheckpoint(folder);
    expect(reader.metadata).toEqual({ format: 'pt' });
    expect(reader.info('h.0.attn.in_proj_weight').shape).toEqual([24, 8]);
    expect(reader.info('h.0.attn.out').shape).toEqual([8, 4]);
    await reader.close();

    const copy = new Model();
    await loadWeights(copy, folder, { keyMap });
    expect(await copy.state()).toEqual(await model.state());
  });

  it('writes floats in the dtype that is asked for, and integers as they are', async () => {
    const folder = await newFolder();
    const model = new Model().initialize(3);
    await saveWeights(folder, model, { dtype: 'bfloat16' });
    expect(await readdir(folder)).toEqual(['model.safetensors']);
    const reader = await openCheckpoint(folder);
    expect(reader.info('layers.0.q.weight').dtype).toBe('bfloat16');
    expect(reader.info('steps').dtype).toBe('int64');
    await reader.close();
    const copy = new Model();
    await loadWeights(copy, folder);
    const [expected, actual] = await Promise.all([model, copy].map(({ layers }) => layers[2]!.v.floatWeight.data()));
    for (const [i, value] of (expected as Float32Array).entries()) {
      expect(Math.abs((actual as Float32Array)[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -8);
    }
    await saveWeights(join(folder, 'again'), copy, { dtype: 'bfloat16' });
    const [first, second] = await Promise.all(
      [folder, join(folder, 'again')].map((each) => readFile(join(each, 'model.safetensors'))),
    );
    expect(second!.equals(first!)).toBe(true);
  });

  it('refuses a key map that packs a parameter which the module lacks', async () => {
    const folder = await newFolder();
    const rules = [{ key: 'qx', parameter: ['layers.*.q.weight', 'layers.*.x.weight'], layout: evenRows(2) }];
    await expect(
      saveWeights(folder, new Model(), { keyMap: { rules: rules.map((rule) => ({ ...rule, key: 'h.*.qx' })) } }),
    ).rejects.toThrow('a parameter layers.0.x.weight, which h.0.qx holds too');
    expect(await readdir(folder)).toEqual([]);
  });
});
