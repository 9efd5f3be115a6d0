import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeEngine, compile, linear, Parameter, type Tensor, tensor, useEngine } from '../../../src/index.js';
import { deviceUnderTest } from './software-engine.js';

const device = await deviceUnderTest();
const settings = 'skipped' in device ? undefined : device.settings;

const width = 512;
const halfBytes = 2 * width * width;

describe.skipIf(!settings)('16-bit copies of frozen parameters', () => {
  beforeAll(async () => {
    if ('search' in device) process.env.OCELLI_CUDA_LIBRARIES = device.search.searched[0]!.path;
    await useEngine('cuda', { precision: 'bfloat16', kernelCache: false });
  });
  afterAll(async () => {
    await closeEngine();
    delete process.env.OCELLI_CUDA_LIBRARIES;
  });

  const weight = new Parameter([width, width], { trainable: false });
  weight.set(new Float32Array(width * width).fill(1 / width));
  const apply = compile((x: Tensor) => linear(x, weight));
  const mean = async (rows: number) => {
    const out = await apply(tensor(new Float32Array(rows * width).fill(3), [rows, width]));
    const data = await out.data();
    return Array.from(data, Number).reduce((sum, value) => sum + value, 0) / data.length;
  };

  test('are made once for all programs, and anew when the parameter changes', async () => {
    expect(await mean(16)).toBeCloseTo(3, 1);
    const one = settings!.read('bytesInUse');
    // Other shapes are other programs.
    expect(await mean(24)).toBeCloseTo(3, 1);
    expect(await mean(32)).toBeCloseTo(3, 1);
    expect(settings!.read('bytesInUse') - one).toBeLessThan(halfBytes);
    weight.set(new Float32Array(width * width).fill(2 / width));
    expect(await mean(24)).toBeCloseTo(6, 1);
    expect(await mean(16)).toBeCloseTo(6, 1);
  });
});
