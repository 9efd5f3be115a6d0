import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { argument } from '../../../../../test/support/onnx-model.js';
import { closeEngine, exportOnnx, importOnnx, Linear, OnnxError } from '../../../src/index.js';
import { modelType } from '../../../src/onnx/schema.js';
import { runOrt } from '../../support/expect-like-ort.js';

const layer = new Linear(32, 24).initialize(5);
const x = argument([3, 32]);

let root: string;
let folder: string;
let path: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-external-'));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'model-'));
  path = join(folder, 'layer.onnx');
  const inputs = { inputs: { x } };
  await exportOnnx(path, ({ x: given }) => ({ y: layer.forward(given!) }), { ...inputs, externalDataAbove: 0 });
});
afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

/** Changes what the model says about its external data. */
async function rewrite(change: (entries: Record<string, string>) => Record<string, string>): Promise<void> {
  const model = modelType.decode(await readFile(path)) as never as {
    graph: { initializer: { external_data: { key: string; value: string }[] }[] };
  };
  for (const tensor of model.graph.initializer) {
    if (tensor.external_data.length === 0) continue;
    const entries = Object.fromEntries(tensor.external_data.map(({ key, value }) => [key, value]));
    tensor.external_data = Object.entries(change(entries)).map(([key, value]) => ({ key, value }));
  }
  const message = modelType.fromObject(modelType.toObject(modelType.fromObject(model), { longs: String }));
  await writeFile(path, modelType.encode(message).finish());
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(OnnxError);
    return (error as OnnxError).message;
  }
  return 'nothing was refused';
}

it('large tensors inside of the file are read from it when they are needed', async () => {
  const wide = new Linear(256, 128).initialize(6);
  const input = argument([2, 256]);
  const file = join(folder, 'wide.onnx');
  await exportOnnx(file, ({ x: given }) => ({ y: wide.forward(given!) }), { inputs: { x: input } });
  const expected = await wide.forward(input).data();
  expect(await importOnnx(file).forward({ x: input }).y!.data()).toEqual(expected);
  const bytes = await readFile(file);
  expect(await importOnnx(bytes).forward({ x: input }).y!.data()).toEqual(expected);
  const model = importOnnx(file);
  await writeFile(file, bytes.subarray(0, 1000));
  await expect(model.forward({ x: input }).y!.data()).rejects.toThrow(/wide\.onnx: .*it was changed meanwhile/);
});

describe('tensors in a file beside the model', () => {
  it('are read when they are needed', async () => {
    const model = importOnnx(path);
    expect(model.externalFiles).toEqual(['layer.onnx.data']);
    const expected = (await runOrt(path, { x })).y!.data as Float32Array;
    const actual = (await model.forward({ x }).y!.data()) as Float32Array;
    actual.forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index]!, 5);
    });
  });

  it('are found by a folder where the model is in memory', async () => {
    const bytes = await readFile(path);
    const expected = await importOnnx(path).forward({ x }).y!.data();
    expect(await importOnnx(bytes, { folder }).forward({ x }).y!.data()).toEqual(expected);
    expect(refusal(() => importOnnx(bytes))).toMatch(
      /expected the folder of the external data, received bytes in memory/,
    );
  });

  it('may lie in a folder below', async () => {
    await mkdir(join(folder, 'data'));
    await copyFile(`${path}.data`, join(folder, 'data', 'weights'));
    await rewrite((entries) => ({ ...entries, location: 'data/weights' }));
    const expected = await layer.forward(x).data();
    expect(await importOnnx(path).forward({ x }).y!.data()).toEqual(expected);
  });

  it.each(['../layer.onnx.data', '/etc/passwd', 'a/../../layer.onnx.data', '', 'C:\\weights'])(
    'may not lie elsewhere: %s',
    async (location) => {
      await rewrite((entries) => ({ ...entries, location }));
      expect(refusal(() => importOnnx(path))).toMatch(/expected external data in the folder of the model/);
    },
  );

  it.each([
    [
      'a range beyond its end',
      { offset: '4096' },
      /expected bytes 4096 to \d+ of layer\.onnx\.data, received a file of/,
    ],
    [
      'a length that is not that of the tensor',
      { length: '16' },
      /expected 3072 bytes for float32 \[24, 32\], received 16/,
    ],
    ['a place that is no number', { offset: '-8' }, /expected a whole offset of its data, received -8/],
    ['a file that is not there', { location: 'nowhere' }, /nowhere: expected a file that can be read, received ENOENT/],
  ])('are refused with %s', async (_, change, message) => {
    await rewrite((entries) => ({ ...entries, ...change }));
    expect(refusal(() => importOnnx(path))).toMatch(message);
  });

  it('are refused where the file was changed after the model was read', async () => {
    const model = importOnnx(path);
    await writeFile(`${path}.data`, new Uint8Array(8));
    const failed = await model
      .forward({ x })
      .y!.data()
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(OnnxError);
    expect((failed as OnnxError).message).toMatch(/layer\.onnx\.data: .*it was changed meanwhile.*leave the files/);
  });
});
