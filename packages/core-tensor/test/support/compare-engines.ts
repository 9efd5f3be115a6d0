import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { startReferenceEngine } from '../../src/engine/reference/reference-engine.js';
import { EngineError } from '../../src/errors.js';
import { type Cases, named } from './case.js';
import { expectClose } from './close.js';
import { comparedEngines, runOn } from './engines.js';
import { materialize } from './host-tensor.js';

/** Tests that every engine computes the values that the reference engine computes. */
export function compareEngines(cases: Cases): void {
  describe.each(comparedEngines)('%s computes what the reference engine computes', (_name, start) => {
    let engine: Engine;
    let reference: Engine;

    beforeAll(async () => {
      engine = await start();
      reference = await startReferenceEngine();
    });
    afterAll(async () => {
      await engine?.close();
      await reference?.close();
    });

    test.each(named(cases))('%s', async (_case, { inputs, fn, relative, refusedBy }) => {
      const values = materialize(inputs);
      if (refusedBy?.includes(engine.name)) {
        await expect(runOn(engine, fn, values)).rejects.toThrow(EngineError);
        return;
      }
      const expected = await runOn(reference, fn, values);
      const actual = await runOn(engine, fn, values);
      actual.forEach((each, i) => {
        expectClose(each, expected[i]!, { relative, what: `result ${i}` });
      });
    });
  });
}
