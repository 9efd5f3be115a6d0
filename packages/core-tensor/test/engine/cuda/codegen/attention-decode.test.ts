import { beforeAll, describe, test } from 'vitest';
import { type AttentionProblem, attentionDecode } from '../../../../src/engine/cuda/codegen/attention.js';
import { startReferenceEngine } from '../../../../src/engine/reference/reference-engine.js';
import { attention } from '../../../../src/ops/attention.js';
import type { Tensor } from '../../../../src/tensor.js';
import { expectClose } from '../../../support/close.js';
import { runOn } from '../../../support/engines.js';
import { type HostTensor, materialize, uniform } from '../../../support/host-tensor.js';
import { softwareDevice } from '../software-device/software-device.js';
import { type Kernels, openTestDevice } from '../software-device/test-device.js';
import { asFloats, stored } from './primitive-trial.js';
import { loadKernels, runLowered } from './run-lowered.js';

const built = await softwareDevice();
const reference = await startReferenceEngine();
const dtypes = ['float32', 'bfloat16', 'float16'] as const;
const tolerances = { float32: 1e-5, bfloat16: 2e-2, float16: 3e-3 } as const;
const sizes = { batch: 1, heads: 2, keyHeads: 2, queries: 20, keys: 40, width: 16, causal: false } as const;

const decodes = [
  { name: 'one query', sizes: { ...sizes, heads: 14, keyHeads: 2, queries: 1, keys: 300, width: 64 }, visible: 300 },
  {
    name: 'a part of the cache',
    sizes: { ...sizes, heads: 4, keyHeads: 4, queries: 1, keys: 300, width: 128 },
    visible: 141,
  },
  {
    name: 'several causal queries',
    sizes: { ...sizes, batch: 2, heads: 4, queries: 3, keys: 270, width: 64, causal: true },
    visible: 203,
  },
  { name: 'odd widths', sizes: { ...sizes, queries: 2, keys: 260, width: 20, causal: true }, visible: 259 },
].flatMap((each) =>
  dtypes.map((dtype) => {
    const problem: AttentionProblem = { ...each.sizes, dtype, scale: 0.2 };
    const lowered = attentionDecode(problem, { dtype: 'int32', offset: -2 });
    return { title: `${each.name}, ${dtype}`, visible: each.visible, dtype, problem, lowered };
  }),
);

describe.skipIf('skipped' in built)('attention to a cache is the composed one to what is visible of it', () => {
  const device = openTestDevice('folder' in built ? built.folder : '');
  let kernels: Kernels;
  beforeAll(() => {
    kernels = loadKernels(
      device,
      decodes.map(({ lowered }) => lowered),
    );
  });

  test.each(decodes)('$title', async ({ visible, dtype, problem, lowered }) => {
    const { batch, heads, keyHeads, queries, keys, width, causal, scale } = problem;
    const [q, k, v] = materialize([
      uniform([batch, heads, queries, width]),
      uniform([batch, keyHeads, keys, width]),
      uniform([batch, keyHeads, keys, width]),
    ]).map((host) => stored(host, dtype)) as [HostTensor, HostTensor, HostTensor];
    const shown = (cache: HostTensor): HostTensor => {
      const rows = asFloats(cache);
      const data = new Float32Array(batch * keyHeads * visible * width);
      for (let head = 0; head < batch * keyHeads; head++)
        data.set(
          (rows.data as Float32Array).subarray(head * keys * width, (head * keys + visible) * width),
          head * visible * width,
        );
      return { shape: [batch, keyHeads, visible, width], dtype: 'float32', data };
    };
    const [expected] = await runOn(
      reference,
      (a: Tensor, b: Tensor, c: Tensor) => attention(a, b, c, { causal, scale }),
      [asFloats(q), shown(k), shown(v)],
    );
    const { outputs } = runLowered(device, kernels, {
      lowered,
      inputs: [q, k, v, { shape: [], dtype: 'int32', data: Int32Array.of(visible + 2) }],
      outputs: [
        { shape: q.shape, dtype },
        { shape: [batch, heads, queries, 2], dtype: 'float32' },
      ],
    });
    expectClose(asFloats(outputs[0]!), expected!, { relative: tolerances[dtype] });
  });
});
