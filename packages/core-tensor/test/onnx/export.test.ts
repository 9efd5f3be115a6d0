import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { dropout, exportOnnx, FeedForward, quantizeModule, randomKey, streamKey, tensor } from '../../src/index.js';

async function exported(options: { externalDataAbove?: number } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'ocelli-onnx-'));
  const path = join(directory, 'feed-forward.onnx');
  const module = new FeedForward(16, 64, 'gelu').initialize(7);
  const x = tensor(
    Float32Array.from({ length: 3 * 16 }, (_, i) => Math.sin(i)),
    [3, 16],
  );
  await exportOnnx(path, ({ x }) => ({ y: module.forward(x!) }), { inputs: { x }, ...options });
  return { path, x, expected: await module.forward(x).data() };
}

test.each([
  ['inside the file', undefined],
  ['beside the file', 0],
])('an exported module gives the same numbers in plain onnxruntime, constants %s', async (_, externalDataAbove) => {
  const { path, x, expected } = await exported(externalDataAbove === undefined ? {} : { externalDataAbove });
  const session = await ort.InferenceSession.create(path);
  expect(session.inputNames).toEqual(['x']);
  const { y } = await session.run({ x: new ort.Tensor('float32', (await x.data()) as Float32Array, [3, 16]) });
  expect(y!.dims).toEqual([3, 16]);
  (y!.data as Float32Array).forEach((value, index) => {
    expect(value).toBeCloseTo(Number(expected[index]), 6);
  });
});

test('constants beside the file leave the model small', async () => {
  const { path } = await exported({ externalDataAbove: 0 });
  expect((await readFile(path)).byteLength).toBeLessThan(4096);
  expect((await stat(`${path}.data`)).size).toBe(4 * 2 * 16 * 64);
});

test('a function with random numbers is refused', async () => {
  const x = tensor([1, 2]);
  const path = join(await mkdtemp(join(tmpdir(), 'ocelli-onnx-')), 'm.onnx');
  const key = streamKey(randomKey(1));
  await expect(
    exportOnnx(path, ({ x }) => ({ y: dropout(x!, { rate: 0.5, key }) }), { inputs: { x } }),
  ).rejects.toThrow(/exportOnnx: expected a function without random numbers/);
});

test('quantized weights are exported as they are', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ocelli-onnx-'));
  const path = join(directory, 'quantized.onnx');
  const module = new FeedForward(64, 256, 'gelu').initialize(7);
  await quantizeModule(module, { bits: 4 });
  const x = tensor(
    Float32Array.from({ length: 3 * 64 }, (_, i) => Math.sin(i)),
    [3, 64],
  );
  await exportOnnx(path, ({ x }) => ({ y: module.forward(x!) }), { inputs: { x } });
  expect((await stat(path)).size).toBeLessThan((2 * 64 * 256 * 5) / 8 + 4096);
  const session = await ort.InferenceSession.create(path);
  const { y } = await session.run({ x: new ort.Tensor('float32', (await x.data()) as Float32Array, [3, 64]) });
  const expected = await module.forward(x).data();
  (y!.data as Float32Array).forEach((value, index) => {
    expect(value).toBeCloseTo(Number(expected[index]), 5);
  });
});
