import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  CheckpointError,
  closeEngine,
  evenRows,
  float32ToBfloat16,
  float32ToFloat16,
  type KeyMap,
  Linear,
  type LoadProgress,
  loadWeights,
  Module,
  openCheckpoint,
  Parameter,
  type Shape,
  type TensorSource,
  WeightMismatchError,
  writeCheckpoint,
} from '../../src/index.js';
import { temporaryFolders } from '../safetensors/files.js';

class Block extends Module {
  readonly q = new Linear(2, 2, { bias: false });
  readonly k = new Linear(2, 2, { bias: false });
}

class Small extends Module {
  readonly embed = new Parameter([3, 2]);
  readonly layers = [new Block(), new Block()];
  readonly counts = new Parameter([2], { dtype: 'int64', trainable: false });
}

const packed: KeyMap = {
  rules: [
    { key: 'h.*.qk.weight', parameter: ['layers.*.q.weight', 'layers.*.k.weight'], layout: evenRows(2) },
    { key: 'wte', parameter: 'embed' },
  ],
};

function floats(...values: number[]): Extract<TensorSource, { dtype: 'float32' }> {
  return { dtype: 'float32', shape: [values.length], data: Float32Array.from(values) };
}

function shaped(shape: Shape, from = 1): TensorSource {
  const length = shape.reduce((product, size) => product * size, 1);
  return { dtype: 'float32', shape, data: Float32Array.from({ length }, (_, i) => from + i) };
}

const counts: TensorSource = { dtype: 'int64', shape: [2], data: BigInt64Array.of(5n, 6n) };
const fitting: Record<string, TensorSource> = {
  embed: shaped([3, 2]),
  'layers.0.q.weight': shaped([2, 2], 10),
  'layers.0.k.weight': shaped([2, 2], 20),
  'layers.1.q.weight': shaped([2, 2], 30),
  'layers.1.k.weight': shaped([2, 2], 40),
  counts,
};

afterAll(() => closeEngine());

describe('loadWeights', () => {
  const newFolder = temporaryFolders();

  async function written(tensors: Record<string, TensorSource>, maxShardBytes?: number): Promise<string> {
    const folder = await newFolder();
    await writeCheckpoint(folder, tensors, maxShardBytes ? { maxShardBytes } : {});
    return folder;
  }

  async function mismatch(module: Module, tensors: Record<string, TensorSource>, keyMap?: KeyMap) {
    const error: unknown = await loadWeights(module, await written(tensors), {
      operation: 'load',
      ...(keyMap && { keyMap }),
    }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(WeightMismatchError);
    return error as WeightMismatchError;
  }

  it('fills every parameter from shards, and reports', async () => {
    const module = new Small();
    const progress: LoadProgress[] = [];
    const folder = await written({ ...fitting, 'layers.0.rotary_emb.inv_freq': floats(1) }, 40);
    expect((await readdir(folder)).length).toBeGreaterThan(3);
    const report = await loadWeights(module, folder, { onProgress: (each) => progress.push(each) });
    expect(report).toEqual({ tensors: 6, bytes: 104, ignored: ['layers.0.rotary_emb.inv_freq'], kept: [] });
    expect(await module.embed.data()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(await module.layers[1]!.k.floatWeight.data()).toEqual(Float32Array.of(40, 41, 42, 43));
    expect(await module.counts.data()).toEqual(BigInt64Array.of(5n, 6n));
    expect(progress.map(({ tensors }) => tensors)).toEqual([1, 2, 3, 4, 5, 6].map((done) => ({ done, total: 6 })));
    expect(progress.at(-1)!.bytes).toEqual({ done: 104, total: 104 });
  });

  it('reads floats of every width', async () => {
    class Floats extends Module {
      readonly half = new Parameter([3]);
      readonly brain = new Parameter([3]);
      readonly double = new Parameter([3]);
      readonly kept = new Parameter([2], { dtype: 'float16' });
    }
    const values = Float32Array.of(1.5, -0.25, 65504);
    const module = new Floats();
    await loadWeights(
      module,
      await written({
        half: { dtype: 'float16', shape: [3], data: float32ToFloat16(values) },
        brain: { dtype: 'bfloat16', shape: [3], data: float32ToBfloat16(values) },
        double: { dtype: 'float64', shape: [3], data: Float64Array.of(0.1, 2 ** -140, 3) },
        kept: floats(0.5, 1.0009765625),
      }),
    );
    expect(await module.half.data()).toEqual(values);
    expect(await module.brain.data()).toEqual(Float32Array.of(1.5, -0.25, 65536));
    expect(await module.double.data()).toEqual(Float32Array.of(0.1, 2 ** -140, 3));
    expect(await module.kept.data()).toEqual(Uint16Array.of(0x3800, 0x3c01));
  });

  it('follows rules and layouts, and takes names without a rule as they are', async () => {
    const module = new Small();
    const { 'layers.1.q.weight': q, 'layers.1.k.weight': k } = fitting;
    const tensors = {
      wte: shaped([3, 2]),
      'h.0.qk.weight': shaped([4, 2], 10),
      'layers.1.q.weight': q!,
      'layers.1.k.weight': k!,
      counts,
    };
    await loadWeights(module, await written(tensors), { keyMap: packed });
    expect(await module.embed.data()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(await module.layers[0]!.q.floatWeight.data()).toEqual(Float32Array.of(10, 11, 12, 13));
    expect(await module.layers[0]!.k.floatWeight.data()).toEqual(Float32Array.of(14, 15, 16, 17));
    expect(await module.layers[1]!.q.floatWeight.data()).toEqual(Float32Array.of(30, 31, 32, 33));
  });

  it('knows gamma and beta, except where parameters have these names', async () => {
    class Norms extends Module {
      readonly norm = { weight: new Parameter([1]), bias: new Parameter([1]) };
      readonly block = { gamma: new Parameter([1]) };
    }
    const module = new Norms();
    await loadWeights(
      module,
      await written({ 'norm.gamma': floats(2), 'norm.beta': floats(3), 'block.gamma': floats(4) }),
    );
    const values = await Promise.all(Object.values(module.namedParameters()).map((each) => each.data()));
    expect(values).toEqual([Float32Array.of(2), Float32Array.of(3), Float32Array.of(4)]);
  });

  it('lists everything that does not fit, changes nothing, and reads nothing', async () => {
    const module = new Small();
    const { 'layers.0.q.weight': _, 'layers.1.q.weight': __, ...rest } = fitting;
    const error = await mismatch(module, {
      ...rest,
      'layers.0.k.weight': shaped([2, 3]),
      'layers.1.k.weight': { dtype: 'int32', shape: [2, 2], data: new Int32Array(4) },
      counts: floats(1, 2),
      more: floats(1),
    });
    expect(error.missing).toEqual(['layers.0.q.weight', 'layers.1.q.weight']);
    expect(error.unexpected).toEqual(['more']);
    expect(error.misshapen).toEqual(['layers.0.k.weight: [2, 3] instead of [2, 2]']);
    expect(error.mistyped.toSorted()).toEqual([
      'counts: float32 instead of int64',
      'layers.1.k.weight: int32 instead of a float of 16, 32 or 64 bits',
    ]);
    expect(error.message).toMatch(
      /^load .*: expected one tensor per parameter, of its shape and dtype, received missing: layers\.\{0\.\.1\}\.q\.weight \| unexpected: more \| of another shape: layers\.0\.k\.weight: \[2, 3\] instead of \[2, 2\] \| of another dtype: /,
    );
    expect(Object.values(module.namedParameters()).filter(({ isMaterialized }) => isMaterialized)).toEqual([]);
  });

  it('finds a packed tensor of another shape, and parameters that are stored twice', async () => {
    const tensors = {
      wte: shaped([3, 2]),
      embed: shaped([3, 2]),
      counts,
      'h.0.qk.weight': shaped([5, 2]),
      'h.1.qk.weight': shaped([4, 2]),
    };
    const error = await mismatch(new Small(), tensors, packed);
    expect(error.misshapen).toEqual(['h.0.qk.weight: [5, 2] instead of [4, 2]']);
    expect(error.repeated).toEqual(['embed (wte, embed)']);
    expect(error.missing).toEqual([]);
  });

  it('keeps first values only where the key map allows', async () => {
    const { embed: _, ...rest } = fitting;
    expect((await mismatch(new Small(), rest)).missing).toEqual(['embed']);
    const { kept } = await loadWeights(new Small(), await written(rest), {
      keyMap: { rules: [], optional: [/^embed$/] },
    });
    expect(kept).toEqual(['embed']);
  });

  it('takes the part of a larger checkpoint', async () => {
    const larger = Object.fromEntries(Object.entries(fitting).map(([name, tensor]) => [`language.${name}`, tensor]));
    const folder = await written({ ...larger, 'vision.weight': floats(1) });
    const module = new Small();
    await loadWeights(module, folder, { prefix: 'language.' });
    expect((await module.embed.data())[5]).toBe(6);
    await expect(loadWeights(module, folder, { prefix: 'audio.' })).rejects.toThrow('missing: embed, layers.');
  });

  it('reads from what is open already, and leaves it open', async () => {
    const reader = await openCheckpoint(await written(fitting));
    await loadWeights(new Small(), reader);
    expect((await reader.read('embed')).shape).toEqual([3, 2]);
    await reader.close();
  });

  it('gives a weight that is held otherwise its float values, or its parts', async () => {
    class Rounded extends Module {
      readonly shape = [2, 2];
      readonly codes = new Parameter([4], { dtype: 'uint8', trainable: false });
      setFromFloat(values: Float32Array): void {
        this.codes.set(Uint8Array.from(values, Math.round));
      }
    }
    class Quantized extends Module {
      readonly fc = { weight: new Rounded(), bias: new Parameter([2]) };
    }
    const bias = floats(0, 0);
    const [fromFloat, fromParts] = [new Quantized(), new Quantized()];
    await loadWeights(
      fromFloat,
      await written({
        'fc.weight': { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1.2, 2, 3, 200.4) },
        'fc.bias': bias,
      }),
    );
    expect(await fromFloat.fc.weight.codes.data()).toEqual(Uint8Array.of(1, 2, 3, 200));
    const codes: TensorSource = { dtype: 'uint8', shape: [4], data: Uint8Array.of(9, 8, 7, 6) };
    await loadWeights(fromParts, await written({ 'fc.weight.codes': codes, 'fc.bias': bias }));
    expect(await fromParts.fc.weight.codes.data()).toEqual(Uint8Array.of(9, 8, 7, 6));
    expect((await mismatch(new Quantized(), { 'fc.bias': bias })).missing).toEqual(['fc.weight']);
    expect((await mismatch(new Quantized(), { 'fc.bias': bias, 'fc.weight': shaped([4]) })).misshapen).toHaveLength(1);
  });

  it('names the shard that is cut off, and one that lacks a tensor of the index', async () => {
    const folder = await written(fitting, 40);
    const shard = join(folder, (await readdir(folder)).filter((name) => name.endsWith('.safetensors')).sort()[1]!);
    const bytes = await readFile(shard);
    await writeFile(shard, bytes.subarray(0, bytes.length - 1));
    await expect(loadWeights(new Small(), folder)).rejects.toThrow(shard);
    await expect(loadWeights(new Small(), folder)).rejects.toBeInstanceOf(CheckpointError);

    const whole = await written(fitting, 40);
    const indexFile = join(whole, 'model.safetensors.index.json');
    const index = JSON.parse(await readFile(indexFile, 'utf8')) as { weight_map: Record<string, string> };
    const { 'layers.1.k.weight': __, ...weightMap } = index.weight_map;
    await writeFile(indexFile, JSON.stringify({ ...index, weight_map: weightMap }));
    await expect(loadWeights(new Small(), whole)).rejects.toThrow(
      /key "layers\.1\.k\.weight".*only tensors that the index lists/,
    );
    await writeFile(
      indexFile,
      JSON.stringify({ ...index, weight_map: { ...index.weight_map, 'layers.9.k.weight': index.weight_map.embed } }),
    );
    await expect(loadWeights(new Small(), whole)).rejects.toThrow(
      /key "layers\.9\.k\.weight".*the tensor that the index lists/,
    );
  });
});
