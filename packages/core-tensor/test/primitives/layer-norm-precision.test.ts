import { afterAll, expect, it } from 'vitest';
import { closeEngine, layerNorm, tensor, vectorJacobianProduct } from '../../src/index.js';

afterAll(closeEngine);

it('keeps the digits of the gradient of a norm over two elements, where all but ε of it cancels', async () => {
  const epsilon = 1e-6;
  const rows = [
    { x: [0.3, 0.1], dy: [7, -19] },
    { x: [-2, 1.5], dy: [31, 30] },
    { x: [0.01, 0.4], dy: [-3, 5] },
  ];
  const x = tensor(Float32Array.from(rows.flatMap((row) => row.x)), [3, 2]);
  const dy = tensor(Float32Array.from(rows.flatMap((row) => row.dy)), [3, 2]);
  const [dx] = vectorJacobianProduct([layerNorm(x, { epsilon })], [dy], [x]);
  const values = (await dx!.data()) as Float32Array;
  rows.forEach(({ x: [a, b], dy: [p, q] }, row) => {
    // y = ±d / √(d² + ε), d half the difference; in double precision.
    const half = (Math.fround(a!) - Math.fround(b!)) / 2;
    const slope = epsilon / (half ** 2 + epsilon) ** 1.5;
    const expected = (slope * (p! - q!)) / 2;
    expect(Math.abs(values[2 * row]! / expected - 1)).toBeLessThan(1e-4);
    expect(Math.abs(values[2 * row + 1]! / -expected - 1)).toBeLessThan(1e-4);
  });
});
