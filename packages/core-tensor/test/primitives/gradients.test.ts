import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { centralDifferences, cotangentsOf, gradientOf } from '../support/central-differences.js';
import { expectClose } from '../support/close.js';
import { comparedEngines, runOn, startReferences } from '../support/engines.js';
import { materialize } from '../support/host-tensor.js';
import { type Case } from './cases/case.js';
import { namedCases } from './cases/index.js';

const wanted = ({ inputs, withRespectTo }: Case): readonly number[] =>
  withRespectTo ?? inputs.flatMap(({ dtype }, index) => (dtype === 'float32' ? [index] : []));

const differentiable = namedCases.filter(([, each]) => wanted(each).length > 0);

let reference: Engine;
let exact: Engine;

beforeAll(async () => {
  ({ reference, exact } = await startReferences());
});
afterAll(async () => {
  await reference.close();
  await exact.close();
});

async function gradientProgram(each: Case) {
  const inputs = materialize(each.inputs);
  const [output] = await runOn(reference, each.fn, inputs);
  const cotangents = cotangentsOf([output!]);
  return { inputs, cotangents, fn: gradientOf(each.fn, inputs.length, wanted(each)), all: [...inputs, ...cotangents] };
}

describe('gradients agree with central differences in double precision', () => {
  test.each(differentiable)('%s', async (_name, each) => {
    const { inputs, cotangents, fn, all } = await gradientProgram(each);
    const gradients = await runOn(exact, fn, all);
    const differences = await centralDifferences(exact, each.fn, inputs, cotangents, wanted(each));
    gradients.forEach((gradient, i) => {
      const expected = { ...gradient, data: Float64Array.from(differences[i]!) };
      expectClose(gradient, expected, { relative: 1e-6, what: `gradient of input ${wanted(each)[i]}` });
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
    // Gradients chain several operations.
    actual.forEach((gradient, i) => expectClose(gradient, expected[i]!, { relative: Math.max(3e-5, each.relative ?? 0), what: `gradient of input ${wanted(each)[i]}` }));
  });
});
