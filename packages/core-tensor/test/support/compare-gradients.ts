import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { startReferenceEngine } from '../../src/engine/reference/reference-engine.js';
import { type Case, type Cases, named } from './case.js';
import { centralDifferences, cotangentsOf, gradientOf } from './central-differences.js';
import { expectClose } from './close.js';
import { comparedEngines, runOn } from './engines.js';
import { materialize } from './host-tensor.js';

/** Between engines; gradients chain several operations. */
const engineTolerance = 3e-5;
/** Between gradients and central differences, both in double precision. */
const differenceTolerance = 1e-6;

const wanted = ({ inputs, withRespectTo }: Case): readonly number[] =>
  withRespectTo ?? inputs.flatMap(({ dtype }, index) => (dtype === 'float32' ? [index] : []));

/** Tests gradients against central differences, and on every engine against the reference engine. */
export function compareGradients(cases: Cases): void {
  const differentiable = named(cases).filter(([, each]) => wanted(each).length > 0);
  let reference: Engine;
  let exact: Engine;

  beforeAll(async () => {
    reference = await startReferenceEngine();
    exact = await startReferenceEngine({ float64: true });
  });
  afterAll(async () => {
    await reference?.close();
    await exact?.close();
  });

  async function gradientProgram(each: Case) {
    const inputs = materialize(each.inputs);
    const cotangents = cotangentsOf(await runOn(reference, each.fn, inputs));
    return {
      inputs,
      cotangents,
      fn: gradientOf(each.fn, inputs.length, wanted(each)),
      all: [...inputs, ...cotangents],
    };
  }

  describe('gradients agree with central differences in double precision', () => {
    test.each(differentiable)('%s', async (_name, each) => {
      const { inputs, cotangents, fn, all } = await gradientProgram(each);
      const gradients = await runOn(exact, fn, all);
      const differences = await centralDifferences(exact, each.fn, inputs, cotangents, wanted(each));
      gradients.forEach((gradient, i) => {
        const expected = { ...gradient, data: Float64Array.from(differences[i]!) };
        expectClose(gradient, expected, {
          relative: differenceTolerance,
          what: `gradient of input ${wanted(each)[i]}`,
        });
      });
    });
  });

  describe.each(comparedEngines)('%s computes the gradients that the reference engine computes', (_name, start) => {
    let engine: Engine;

    beforeAll(async () => {
      engine = await start();
    });
    afterAll(async () => {
      await engine?.close();
    });

    test.each(differentiable)('%s', async (_case, each) => {
      const { fn, all } = await gradientProgram(each);
      const expected = await runOn(reference, fn, all);
      const actual = await runOn(engine, fn, all);
      actual.forEach((gradient, i) => {
        const relative = Math.max(engineTolerance, each.relative ?? 0);
        expectClose(gradient, expected[i]!, { relative, what: `gradient of input ${wanted(each)[i]}` });
      });
    });
  });
}
