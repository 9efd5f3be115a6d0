import { afterAll, describe, expect, test } from 'vitest';
import {
  bitsAndBytesTensors,
  CheckpointError,
  closeEngine,
  evenRows,
  LayerNorm,
  Linear,
  type LoadProgress,
  loadQuantizedWeights,
  loadWeights,
  Module,
  normalFloats,
  openCheckpoint,
  prepareQuantized,
  type QuantizationConfigInput,
  QuantizationError,
  type QuantizedWeight,
  quantizationOf,
  quantizeModule,
  randomKey,
  saveWeights,
  type TensorSource,
  WeightMismatchError,
  writeCheckpoint,
} from '../../src/index.js';
import { temporaryFolders } from '../safetensors/files.js';

afterAll(closeEngine);
const makeFolder = temporaryFolders();

class Model extends Module {
  readonly norm = new LayerNorm(48);
  readonly layers = [new Linear(48, 10), new Linear(10, 48, { bias: false })];
  readonly lm_head = new Linear(48, 20);
}

const formats: readonly QuantizationConfigInput[] = [
  { bits: 4, blockSize: 16, symmetric: false },
  { bits: 8 },
  { format: 'nf4', doubleQuantized: true },
  { format: 'fp4' },
  { format: 'int8' },
];

async function valuesOf(model: Model): Promise<number[][]> {
  const state = await model.state();
  const floats = model.layers.map(({ weight }) => (weight as QuantizedWeight).toFloat());
  const rest = Object.entries(state).filter(([name]) => !name.includes('weight.'));
  return [
    ...rest.map(([, { data }]) => Array.from(data, Number)),
    ...(await Promise.all(floats)).map((each) => [...each]),
  ];
}

async function quantized(config: QuantizationConfigInput): Promise<Model> {
  const model = new Model().initialize(1);
  await quantizeModule(model, config);
  return model;
}

describe.each(formats.map((config) => [JSON.stringify(config), config] as const))('weights of %s', (_name, config) => {
  test('come back from the files of their module, into a module of floats', async () => {
    const folder = await makeFolder();
    const model = await quantized(config);
    await saveWeights(folder, model);
    const loaded = new Model();
    const report = await loadQuantizedWeights(loaded, folder);
    expect(report.tensors).toBe(Object.keys(model.namedParameters()).length);
    expect(report.kept).toEqual([]);
    expect(quantizationOf(loaded)).toEqual(quantizationOf(model));
    expect(await valuesOf(loaded)).toEqual(await valuesOf(model));
    // And into one that has the form already.
    const prepared = new Model();
    prepareQuantized(prepared, config);
    await loadWeights(prepared, folder);
    expect(await valuesOf(prepared)).toEqual(await valuesOf(model));
  });

  test('are made from a checkpoint of floats as it is read', async () => {
    const folder = await makeFolder();
    await saveWeights(folder, new Model().initialize(1));
    const model = new Model();
    prepareQuantized(model, config);
    await loadWeights(model, folder);
    expect(await valuesOf(model)).toEqual(await valuesOf(await quantized(config)));
  });
});

test('files of another format are refused by a module that has a form of its own', async () => {
  const folder = await makeFolder();
  await saveWeights(folder, await quantized({ format: 'nf4' }));
  const model = new Model();
  prepareQuantized(model, { format: 'fp4' });
  await expect(loadWeights(model, folder)).rejects.toThrow(
    /a weight quantized as .*"fp4".*"nf4".*loadQuantizedWeights/,
  );
  // It takes the form of the files where it may.
  await loadQuantizedWeights(model, folder);
  expect(quantizationOf(model)['layers.0']).toMatchObject({ format: 'nf4' });
});

test.each([
  ['no JSON', '{"format":"nbits"'],
  ['of an unknown format', '{"format":"int2"}'],
])('a configuration in a file that is %s is refused before anything changes', async (_name, text) => {
  const folder = await makeFolder();
  const bytes = new TextEncoder().encode(text);
  await writeCheckpoint(folder, {
    'layers.0.weight.quantization': { dtype: 'uint8', shape: [bytes.length], data: bytes },
  });
  const model = new Model();
  await expect(loadQuantizedWeights(model, folder)).rejects.toThrow(
    /key "layers\.0\.weight\.quantization".*the configuration of a quantized weight as JSON/,
  );
  expect(quantizationOf(model)).toEqual({});
});

describe('bitsandbytes checkpoints', () => {
  test.each(formats.slice(2).map((config) => [JSON.stringify(config), config] as const))(
    'of %s',
    async (_name, config) => {
      const folder = await makeFolder();
      const model = await quantized(config);
      await writeCheckpoint(folder, await bitsAndBytesTensors(model));
      const reader = await openCheckpoint(folder);
      const { dtype, shape } = reader.info('layers.0.weight');
      expect({ dtype, shape }).toEqual(
        config.format === 'int8' ? { dtype: 'int8', shape: [10, 48] } : { dtype: 'uint8', shape: [240, 1] },
      );
      await reader.close();
      const loaded = new Model();
      const progress: LoadProgress[] = [];
      const report = await loadQuantizedWeights(loaded, folder, { onProgress: (each) => progress.push(each) });
      expect(report.kept).toEqual([]);
      expect(progress.at(-1)).toMatchObject({ bytes: { done: report.bytes, total: report.bytes } });
      expect(progress.at(-1)!.tensors).toEqual({ done: report.tensors, total: report.tensors });
      expect(quantizationOf(loaded)).toEqual(quantizationOf(model));
      expect(await valuesOf(loaded)).toEqual(await valuesOf(model));
    },
  );

  test('under other names, and with the codes stored as 16-bit floats', async () => {
    const folder = await makeFolder();
    const model = await quantized({ format: 'nf4' });
    const tensors = await bitsAndBytesTensors(model);
    const renamed = Object.fromEntries(
      await Promise.all(
        Object.entries(tensors).map(async ([name, source]): Promise<[string, TensorSource]> => {
          const key = `model.${name.replace('layers.0', 'first')}`;
          if (!/^layers\.\d\.weight$/.test(name)) return [key, source];
          const bytes = (await (source.data as () => Promise<Uint8Array>)()) as Uint8Array;
          const data = new Uint16Array(bytes.slice().buffer);
          return [key, { dtype: 'bfloat16', shape: [data.length, 1], data }];
        }),
      ),
    );
    await writeCheckpoint(folder, renamed);
    const loaded = new Model();
    await loadQuantizedWeights(loaded, folder, {
      keyMap: {
        prefixes: ['model.'],
        rules: [
          { key: 'first.weight', parameter: 'layers.0.weight' },
          { key: 'first.bias', parameter: 'layers.0.bias' },
        ],
      },
    });
    expect(await valuesOf(loaded)).toEqual(await valuesOf(model));
  });

  const broken: readonly [string, (tensors: Record<string, TensorSource>) => void, RegExp][] = [
    [
      'without scales',
      (tensors) => delete tensors['layers.0.weight.absmax'],
      /a tensor layers\.0\.weight\.absmax beside it/,
    ],
    [
      'with too few scales',
      (tensors) => {
        tensors['layers.0.weight.absmax'] = { dtype: 'float32', shape: [3], data: new Float32Array(3) };
      },
      /8 elements, received 3/,
    ],
    [
      'with too few codes',
      (tensors) => {
        tensors['layers.1.weight'] = { dtype: 'uint8', shape: [239, 1], data: new Uint8Array(239) };
      },
      /240 bytes, received 239/,
    ],
    [
      'with another table',
      (tensors) => {
        tensors['layers.0.weight.quant_map'] = { dtype: 'float32', shape: [16], data: new Float32Array(16) };
      },
      /the 16 values of nf4/,
    ],
    [
      'with a state that is no JSON',
      (tensors) => {
        tensors['layers.0.weight.quant_state.bitsandbytes__nf4'] = {
          dtype: 'uint8',
          shape: [3],
          data: Uint8Array.of(123, 34, 0),
        };
      },
      /a quant_state of bitsandbytes/,
    ],
    [
      'of another shape',
      (tensors) => {
        const bytes = new TextEncoder().encode(JSON.stringify({ quant_type: 'nf4', blocksize: 64, shape: [48, 10] }));
        tensors['layers.0.weight.quant_state.bitsandbytes__nf4'] = {
          dtype: 'uint8',
          shape: [bytes.length],
          data: bytes,
        };
      },
      /a weight \[10, 48\], received \[48, 10\]/,
    ],
  ];

  test.each(broken)('%s are refused before anything changes', async (_name, damage, message) => {
    const folder = await makeFolder();
    const tensors = await bitsAndBytesTensors(await quantized({ format: 'nf4' }));
    damage(tensors);
    await writeCheckpoint(folder, tensors);
    const model = new Model();
    const error = await loadQuantizedWeights(model, folder).catch((each: unknown) => each);
    expect(error instanceof CheckpointError || error instanceof QuantizationError).toBe(true);
    expect((error as Error).message).toMatch(message);
    expect(quantizationOf(model)).toEqual({});
  });

  test('of layers that the module lacks, or packs otherwise, are refused', async () => {
    const folder = await makeFolder();
    await writeCheckpoint(folder, await bitsAndBytesTensors(await quantized({ format: 'nf4' })));
    class Other extends Module {
      readonly layers = [new Linear(48, 10)];
    }
    await expect(loadQuantizedWeights(new Other(), folder)).rejects.toThrow(/layers\.1\.weight, which is not there/);
    const rules = [{ key: 'layers.0.weight', parameter: ['a', 'b'], layout: evenRows(2) }];
    await expect(loadQuantizedWeights(new Model(), folder, { keyMap: { rules } })).rejects.toThrow(
      /codes that pack a, b together/,
    );
  });

  test('that lack other parameters are refused as any checkpoint is', async () => {
    const folder = await makeFolder();
    const { 'norm.bias': _bias, ...tensors } = await bitsAndBytesTensors(await quantized({ format: 'nf4' }));
    await writeCheckpoint(folder, tensors);
    await expect(loadQuantizedWeights(new Model(), folder)).rejects.toThrow(WeightMismatchError);
    await expect(loadQuantizedWeights(new Model(), folder)).rejects.toThrow(/missing: norm\.bias/);
  });

  test('are not written for weights that the library does not have', async () => {
    await expect(bitsAndBytesTensors(await quantized({ bits: 4 }))).rejects.toThrow(/layers\.0\.weight, one of nbits/);
  });

  test('of 8 bits need codes that are stored row by row', async () => {
    const folder = await makeFolder();
    const tensors = await bitsAndBytesTensors(await quantized({ format: 'int8' }));
    const other: TensorSource = { dtype: 'uint8', shape: [], data: Uint8Array.of(2) };
    await writeCheckpoint(folder, { ...tensors, 'layers.0.weight_format': other });
    await expect(loadQuantizedWeights(new Model(), folder)).rejects.toThrow(/stored row by row, received 2/);
  });
});

test('values that no format can hold are refused while they are read', async () => {
  const folder = await makeFolder();
  const model = new Model().initialize(1);
  const weight = normalFloats(randomKey(1), 480);
  weight[3] = Number.POSITIVE_INFINITY;
  model.layers[0]!.floatWeight.set(weight);
  await saveWeights(folder, model);
  const prepared = new Model();
  prepareQuantized(prepared);
  await expect(loadWeights(prepared, folder)).rejects.toThrow(QuantizationError);
});
