import { afterAll, beforeAll, describe, test } from 'vitest';
import { buildGraph } from '../../../src/engine/build-graph.js';
import { startCudaEngine } from '../../../src/engine/cuda/cuda-engine.js';
import type { Engine } from '../../../src/engine/engine.js';
import { startReferenceEngine } from '../../../src/engine/reference/reference-engine.js';
import { Tensor } from '../../../src/tensor.js';
import { cases as operations } from '../../ops/cases/index.js';
import { cases as primitives } from '../../primitives/cases/index.js';
import { type Case, type Cases, named } from '../../support/case.js';
import { cotangentsOf, gradientOf } from '../../support/central-differences.js';
import { expectClose } from '../../support/close.js';
import { runOn, type TensorFunction } from '../../support/engines.js';
import { type HostTensor, materialize } from '../../support/host-tensor.js';
import { deviceUnderTest } from './software-engine.js';

const device = await deviceUnderTest();
const search = 'skipped' in device ? undefined : device.search;

/** A function on an engine, and what it has to give. */
interface Trial {
  readonly fn: TensorFunction;
  readonly inputs: readonly HostTensor[];
  readonly relative: number | undefined;
}

/** Between engines; gradients chain several operations. */
const gradientTolerance = 3e-5;

const groups: Readonly<Record<string, Cases>> = { primitives, operations };

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

  describe.each(Object.keys(groups))('computes the %s that the reference engine computes', (group) => {
    const all = named(groups[group]!);
    compare(all, ({ fn, inputs, relative }) => ({ fn, inputs: materialize(inputs), relative }));
  });

  describe.each(Object.keys(groups))('computes the gradients of %s that the reference engine computes', (group) => {
    const all = named(groups[group]!).filter(([, each]) => wanted(each).length > 0);
    compare(all, async ({ fn, inputs, relative = 0, ...rest }) => {
      const values = materialize(inputs);
      const cotangents = cotangentsOf(await runOn(reference, fn, values));
      return {
        fn: gradientOf(fn, values.length, wanted({ fn, inputs, ...rest })),
        inputs: [...values, ...cotangents],
        relative: Math.max(gradientTolerance, relative),
      };
    });
  });

  /** Kernels of all cases are compiled together: most of the time goes into starting the compiler. */
  function compare(
    all: readonly (readonly [name: string, each: Case])[],
    toTrial: (each: Case) => Trial | Promise<Trial>,
  ): void {
    const trials: Trial[] = [];
    let results: HostTensor[][];
    beforeAll(async () => {
      for (const [, each] of all) trials.push(await toTrial(each));
      results = await runTogether(engine, trials);
    }, 300_000);

    test.each(all.map(([name], index) => [name, index] as const))('%s', async (_, index) => {
      const { fn, inputs, relative } = trials[index]!;
      const expected = await runOn(reference, fn, inputs);
      results[index]!.forEach((actual, i) => {
        expectClose(actual, expected[i]!, { relative, what: `result ${i}` });
      });
    });
  }
});

function wanted({ inputs, withRespectTo }: Case): readonly number[] {
  return withRespectTo ?? inputs.flatMap(({ dtype }, index) => (dtype === 'float32' ? [index] : []));
}

/** Results of several functions computed by one program. */
async function runTogether(engine: Engine, trials: readonly Trial[]): Promise<HostTensor[][]> {
  const placeholders: Tensor[] = [];
  const outputs = trials.map(({ inputs, fn }) => {
    const own = inputs.map(({ shape, dtype }) => new Tensor(shape, dtype, { kind: 'input' }));
    placeholders.push(...own);
    return [fn(...own)].flat() as Tensor[];
  });
  const { graph } = buildGraph(outputs.flat(), placeholders, () => ({ kind: 'constant' }));
  const program = await engine.compile(graph);
  const buffers = trials.flatMap(({ inputs }) =>
    inputs.map(({ data, shape, dtype }) => engine.upload(data, shape, dtype)),
  );
  const results = await engine.run(program, buffers);
  const read = await Promise.all(results.map((buffer) => engine.download(buffer)));
  for (const buffer of [...buffers, ...results]) engine.free(buffer);
  engine.release(program);
  let next = 0;
  return outputs.map((each) => each.map(({ shape, dtype }) => ({ shape, dtype, data: read[next++]! })));
}
