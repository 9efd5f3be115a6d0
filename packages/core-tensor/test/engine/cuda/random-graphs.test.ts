import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCudaEngine } from '../../../src/engine/cuda/cuda-engine.js';
import type { Engine } from '../../../src/engine/engine.js';
import { startReferenceEngine } from '../../../src/engine/reference/reference-engine.js';
import { numbersOf } from '../../support/close.js';
import { runOn } from '../../support/engines.js';
import { materialize, uniform } from '../../support/host-tensor.js';
import { network } from './random-network.js';
import { deviceUnderTest } from './software-engine.js';

const device = await deviceUnderTest();
const search = 'skipped' in device ? undefined : device.search;

describe.skipIf('skipped' in device)('the cuda engine', () => {
  let engine: Engine;
  let reference: Engine;
  beforeAll(async () => {
    engine = await startCudaEngine({ kernelCache: false }, search);
    reference = await startReferenceEngine();
  }, 120_000);
  afterAll(async () => {
    await engine?.close();
    await reference?.close();
  });

  // More can be tried: of 1,200 some ten normalize rows that are nearly constant, which no engine does to many digits.
  const count = Number(process.env.OCELLI_RANDOM_GRAPHS ?? 24);
  test.each(Array.from({ length: count }, (_, seed) => seed))(
    'computes network %i as the reference engine does',
    async (seed) => {
      const inputs = materialize([uniform([6, 8]), uniform([6, 8]), uniform([1, 8])]);
      const fn = network(seed);
      const expected = await runOn(reference, fn, inputs);
      const actual = await runOn(engine, fn, inputs);
      actual.forEach((each, index) => {
        const [a, e] = [numbersOf(each), numbersOf(expected[index]!)];
        const largest = Math.max(1e-3, ...e.map(Math.abs));
        const error = Math.max(0, ...a.map((value, i) => Math.abs(value - e[i]!)));
        expect(error / largest, `result ${index}`).toBeLessThan(1e-4);
      });
    },
  );
});
