import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { expectClose } from '../support/close.js';
import { comparedEngines, runOn, startReferences } from '../support/engines.js';
import { materialize } from '../support/host-tensor.js';
import { namedCases } from './cases/index.js';

describe.each(comparedEngines)('%s computes what the reference engine computes', (_name, start) => {
  let engine: Engine;
  let reference: Engine;

  beforeAll(async () => {
    engine = await start();
    ({ reference } = await startReferences());
  });
  afterAll(async () => {
    await engine?.close();
    await reference?.close();
  });

  test.each(namedCases)('%s', async (_case, { inputs, fn, relative }) => {
    const values = materialize(inputs);
    const [expected] = await runOn(reference, fn, values);
    const [actual] = await runOn(engine, fn, values);
    expectClose(actual!, expected!, { relative });
  });
});
