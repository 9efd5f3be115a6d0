import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { argument } from '../../../../../test/support/onnx-model.js';
import {
  adaptiveAvgPool2d,
  add,
  argMax,
  attention,
  avgPool2d,
  Conv2d,
  closeEngine,
  concat,
  convTranspose2d,
  cumsum,
  embedding,
  exportOnnx,
  gelu,
  gradients,
  gridSample,
  groupNorm,
  importOnnx,
  interpolate,
  LayerNorm,
  LayerNorm2d,
  Linear,
  Module,
  maxPool2d,
  mul,
  pad,
  pixelShuffle,
  quantizeModule,
  RMSNorm,
  relu,
  reshape,
  roll,
  scatterAddRows,
  sliceAxis,
  softmax,
  splitHeads,
  sum,
  type Tensor,
  tensor,
  topK,
  transpose,
  updateSlice,
} from '../../../src/index.js';
import { expectClose } from '../../support/close.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-round-trip-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await closeEngine();
});

/** A convolutional net with pooling, resizing and a head. */
class Picture extends Module {
  readonly stem = new Conv2d(3, 8, 3, { stride: 2, padding: 1 });
  readonly norm = new LayerNorm2d(8);
  readonly deep = new Conv2d(8, 8, 3, { padding: 1, groups: 8 });
  readonly up = new Conv2d(8, 4, 2);
  readonly head = new Linear(8, 5);

  forward(x: Tensor) {
    const map = this.norm.forward(relu(this.stem.forward(x)));
    const pooled = maxPool2d(this.deep.forward(map), 3, { stride: 2, padding: 1 });
    const small = avgPool2d(groupNorm(pooled, 2), 2, { stride: 1 });
    const large = interpolate(small, { size: [7, 9], mode: 'bilinear' });
    const cubic = interpolate(large, { scaleFactor: 0.5, mode: 'bicubic', antialias: true });
    const grown = convTranspose2d(
      cubic,
      this.up.weight.shape.length === 4 ? transpose(this.up.weight, [1, 0, 2, 3]) : x,
      {
        stride: 2,
        outputPadding: 1,
      },
    );
    const shuffled = pixelShuffle(interpolate(grown, { size: [4, 4], mode: 'nearest' }), 2);
    const scores = this.head.forward(reshape(adaptiveAvgPool2d(map, 1), [x.shape[0]!, 8]));
    return { shuffled, scores, best: argMax(scores, -1) };
  }
}

/** Tokens, attention and what else transformers need. */
class Tokens extends Module {
  readonly norm = new LayerNorm(16);
  readonly last = new RMSNorm(16);
  readonly qkv = new Linear(16, 48);
  readonly out = new Linear(16, 16);

  forward(x: Tensor) {
    const [q, k, v] = [0, 1, 2].map((part) =>
      splitHeads(sliceAxis(this.qkv.forward(this.norm.forward(x)), -1, 16 * part, 16 * (part + 1)), 4),
    ) as [Tensor, Tensor, Tensor];
    const mixed = reshape(transpose(attention(q, k, v, { causal: true }), [0, 2, 1, 3]), x.shape);
    const y = add(x, gelu(this.out.forward(mixed)));
    const { values, indices } = topK(softmax(y), 3);
    const rows = embedding(indices, argument([16, 4], 9));
    const order = tensor(Int32Array.of(2, 0, 2));
    const summed = scatterAddRows(order, reshape(sliceAxis(y, 1, 0, 3), [3, 32]), 4);
    const replaced = updateSlice(y, argument([2, 2, 16], 4), tensor(Int32Array.of(1), []), 1);
    return {
      normal: this.last.forward(roll(replaced, 1, 1)),
      values,
      rows,
      summed,
      running: cumsum(concat([y, pad(y, { before: [0, 0, 0], after: [0, 1, 0], value: 2 })], 1), 1),
    };
  }
}

async function hostOf(x: Tensor) {
  return { shape: x.shape, dtype: x.dtype, data: await x.data() };
}

/** Expects a function to be the same after it was written and read, and the gradient of its first result too. */
async function expectRoundTrip(name: string, fn: (x: Tensor) => Record<string, Tensor>, x: Tensor, relative = 1e-5) {
  const path = join(folder, `${name}.onnx`);
  await exportOnnx(path, ({ x: given }) => fn(given!), { inputs: { x } });
  const model = importOnnx(path);
  const [expected, actual] = [fn(x), model.forward({ x })];
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  const slope = (y: Tensor) => gradients(sum(mul(y, argument(y.shape, 8))), [x])[0]!;
  const first = Object.keys(expected)[0]!;
  const [before, after] = [slope(expected[first]!), slope(actual[first]!)];
  for (const key of Object.keys(expected)) {
    const { shape, dtype, data } = await hostOf(expected[key]!);
    expectClose(await hostOf(actual[key]!), { shape, dtype, data }, { relative, what: key });
  }
  expectClose(await hostOf(after), await hostOf(before), { relative: 10 * relative, what: 'gradient' });
  return model;
}

test('a convolutional net comes back from its file', async () => {
  const net = new Picture().initialize(1);
  const model = await expectRoundTrip('picture', (x) => net.forward(x), argument([2, 3, 17, 22]));
  expect(Object.keys(model.parameters).length).toBeGreaterThan(5);
});

test('a transformer block comes back from its file', async () => {
  const block = new Tokens().initialize(2);
  await expectRoundTrip('tokens', (x) => block.forward(x), argument([2, 6, 16]));
});

test('sampling by places comes back from its file', async () => {
  const places = argument([1, 4, 5, 2], 3, 1.2);
  await expectRoundTrip(
    'grid',
    (x) => ({ y: gridSample(x, places, { paddingMode: 'reflection' }) }),
    argument([1, 2, 6, 7]),
  );
});

test.each([
  ['4 bits', { bits: 4, blockSize: 16 }],
  ['8 bits', { bits: 8, blockSize: 16, symmetric: false }],
  ['large blocks', { bits: 4, blockSize: 512, symmetric: false }],
  ['codebooks', { format: 'nf4', blockSize: 32 }],
  ['rows of bytes', { format: 'int8' }],
] as const)('a layer in %s comes back from its file', async (what, options) => {
  const layer = new Linear(40, 12).initialize(3);
  const { layers } = await quantizeModule(layer, options);
  expect(layers).toHaveLength(1);
  await expectRoundTrip(what.replaceAll(' ', '-'), (x) => ({ y: layer.forward(x) }), argument([3, 40]), 1e-4);
});
