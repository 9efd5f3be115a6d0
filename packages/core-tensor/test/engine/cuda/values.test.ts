import { afterAll, beforeAll, describe, test } from 'vitest';
import { buildGraph } from '../../../src/engine/build-graph.js';
import { planProgram } from '../../../src/engine/cuda/compiler/plan-program.js';
import { startCudaEngine } from '../../../src/engine/cuda/cuda-engine.js';
import { findCudaLibraries, type LibrarySearch } from '../../../src/engine/cuda/libraries/find-libraries.js';
import type { Engine } from '../../../src/engine/engine.js';
import { startReferenceEngine } from '../../../src/engine/reference/reference-engine.js';
import { Tensor } from '../../../src/tensor.js';
import { cases as operations } from '../../ops/cases/index.js';
import { cases as primitives } from '../../primitives/cases/index.js';
import { type Cases, named } from '../../support/case.js';
import { expectClose } from '../../support/close.js';
import { runOn } from '../../support/engines.js';
import { type HostTensor, materialize } from '../../support/host-tensor.js';
import { softwareDevice } from './software-device/software-device.js';

const device = await softwareDevice();

describe.skipIf('skipped' in device)('the cuda engine computes what the reference engine computes', () => {
  let engine: Engine;
  let reference: Engine;

  beforeAll(async () => {
    engine = await startCudaEngine({ kernelCache: false }, searchIn(device));
    reference = await startReferenceEngine();
  });
  afterAll(async () => {
    await engine?.close();
    await reference?.close();
  });

  const groups = { primitives, operations } satisfies Record<string, Cases>;
  describe.each(Object.keys(groups) as (keyof typeof groups)[])('%s', (group) => {
    const all = named(groups[group] as Cases).filter(([, each]) => plans(each));
    let results: HostTensor[][];

    // Kernels of all cases are compiled together: the time goes into starting the compiler.
    beforeAll(async () => {
      results = await runTogether(
        engine,
        all.map(([, each]) => each),
      );
    }, 300_000);

    test.each(all.map(([name, each], index) => [name, each, index] as const))('%s', async (_, each, index) => {
      const expected = await runOn(reference, each.fn, materialize(each.inputs));
      results[index]!.forEach((actual, i) => {
        expectClose(actual, expected[i]!, { relative: each.relative, what: `result ${i}` });
      });
    });
  });
});

/** The software device's libraries, and no others. */
function searchIn(found: Awaited<ReturnType<typeof softwareDevice>>): LibrarySearch {
  if ('skipped' in found) throw new Error(found.skipped);
  return findCudaLibraries({
    variables: { OCELLI_CUDA_LIBRARIES: found.folder },
    platform: 'linux',
    home: '/nowhere',
    system: [],
    local: '/nowhere',
    loaderCache: () => '',
  });
}

/** Results of several functions computed by one program. */
async function runTogether(
  engine: Engine,
  all: readonly { readonly inputs: Parameters<typeof materialize>[0]; readonly fn: Parameters<typeof runOn>[1] }[],
): Promise<HostTensor[][]> {
  const placeholders: Tensor[] = [];
  const data: HostTensor[] = [];
  const outputs: Tensor[][] = all.map(({ inputs, fn }) => {
    const values = materialize(inputs);
    const own = values.map(({ shape, dtype }) => new Tensor(shape, dtype, { kind: 'input' }));
    placeholders.push(...own);
    data.push(...values);
    return [fn(...own)].flat() as Tensor[];
  });
  const { graph } = buildGraph(outputs.flat(), placeholders, () => ({ kind: 'constant' }));
  const program = await engine.compile(graph);
  const buffers = data.map((each) => engine.upload(each.data, each.shape, each.dtype));
  const results = await engine.run(program, buffers);
  const read = await Promise.all(results.map((buffer) => engine.download(buffer)));
  for (const buffer of [...buffers, ...results]) engine.free(buffer);
  engine.release(program);
  let next = 0;
  return outputs.map((each) => each.map(({ shape, dtype }) => ({ shape, dtype, data: read[next++]! })));
}

function plans({ inputs, fn }: any): boolean {
  const own = materialize(inputs).map(({ shape, dtype }) => new Tensor(shape, dtype, { kind: 'input' }));
  try {
    planProgram(buildGraph([fn(...own)].flat() as Tensor[], own, () => ({ kind: 'constant' })).graph, {
      precision: 'float32',
    });
    return true;
  } catch (error) {
    const text = `${(error as Error).message}`;
    if (!text.startsWith('no kernels')) console.log((error as Error).stack!.slice(0, 600));
    return false;
  }
}
