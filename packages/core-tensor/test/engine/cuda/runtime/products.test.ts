import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MatmulStep, PlannedValue } from '../../../../src/engine/cuda/compiler/program-plan.js';
import { openCudaLibraries } from '../../../../src/engine/cuda/libraries/open-libraries.js';
import { type Device, openDevice } from '../../../../src/engine/cuda/runtime/device.js';
import { prepareProgram } from '../../../../src/engine/cuda/runtime/prepared-program.js';
import { deviceUnderTest } from '../software-engine.js';

const tested = await deviceUnderTest();

const [m, n] = [3, 4];

const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

describe.skipIf('skipped' in tested)('a product with what comes after it', () => {
  let device: Device;
  beforeAll(async () => {
    if ('skipped' in tested) return;
    device = openDevice(await openCudaLibraries(tested.search), { kernelCache: false });
  });
  afterAll(() => device?.close());

  /** out = activation(a · b + bias) + residual of matrices that are not square, each at an offset of its own. */
  async function product(k: number, rest: Partial<MatmulStep>, transposeOut = false): Promise<number[]> {
    const input = (position: number): PlannedValue => ({
      shape: [64],
      dtype: 'float32',
      place: { kind: 'input', position },
    });
    const operand = (value: number, offset: number, rowStride: number, transpose = false) => ({
      value,
      offset,
      transpose,
      rowStride,
      batchStride: 0,
    });
    const step: MatmulStep = {
      kind: 'matmul',
      a: operand(0, 4, Math.max(k, 1)),
      b: operand(1, 8, n),
      out: operand(4, 4, transposeOut ? m : n, transposeOut),
      m,
      n,
      k,
      batch: 1,
      alpha: 2,
      ...rest,
    };
    const program = await prepareProgram(
      { ...device, graphs: false, resident: () => 0 },
      {
        values: [input(0), input(1), input(2), input(3), { ...input(0), place: { kind: 'output', index: 0 } }],
        preparation: [],
        steps: [step],
        outputs: [4],
        arenaBytes: 0,
      },
    );
    const blocks = [0, 1, 2, 3, 4].map((seed) => {
      const block = device.allocator.take('test', 256);
      const data = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i + seed));
      device.staging.upload(new Uint8Array(data.buffer), block.address);
      return block;
    });
    const [a, b, bias, residual, out] = blocks.map(({ address }) => address) as [
      number,
      number,
      number,
      number,
      number,
    ];
    program.submit([a, b, bias, residual], [out], []);
    const bytes = await device.downloads.download(out, 256);
    program.release();
    for (const block of blocks) device.allocator.give(block);
    return [...new Float32Array(bytes.buffer)];
  }

  function expected(k: number, rest: Partial<MatmulStep>, transposeOut = false): number[] {
    const at = (seed: number, i: number) => Math.fround(Math.sin(i + seed));
    const out = Array.from({ length: 64 }, (_, i) => at(4, i));
    for (let row = 0; row < m; row++)
      for (let column = 0; column < n; column++) {
        const place = 4 + (transposeOut ? column * m + row : row * n + column);
        let x = 0;
        for (let i = 0; i < k; i++) x += 2 * at(0, 4 + row * k + i) * at(1, 8 + i * n + column);
        if (rest.bias !== undefined) x += at(2, column);
        if (rest.activation) x = rest.activation === 'relu' ? Math.max(x, 0) : gelu(x);
        if (rest.residual !== undefined) x += at(3, place);
        out[place] = x;
      }
    return out;
  }

  test.each([
    ['nothing', 5, {}, false],
    ['a bias', 5, { bias: 2 }, false],
    ['a residual', 5, { residual: 3 }, false],
    ['bias and activation', 5, { bias: 2, activation: 'gelu-tanh' }, false],
    ['an activation before a residual, which the library cannot do', 5, { activation: 'relu', residual: 3 }, false],
    ['everything', 5, { bias: 2, activation: 'gelu-tanh', residual: 3 }, false],
    ['a bias across a transposed result', 5, { bias: 2 }, true],
    ['a residual of a transposed result', 5, { residual: 3 }, true],
    ['no terms', 0, {}, false],
    ['no terms, and everything', 0, { bias: 2, activation: 'relu', residual: 3 }, false],
  ] as const)('adds %s', async (_, k, rest, transposeOut) => {
    const actual = await product(k, rest, transposeOut);
    expected(k, rest, transposeOut).forEach((value, i) => {
      expect(actual[i], `element ${i}`).toBeCloseTo(value, 5);
    });
  });
});
