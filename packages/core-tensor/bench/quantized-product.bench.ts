import {
  closeEngine,
  compile,
  dispose,
  Linear,
  Module,
  normalFloats,
  type QuantizeOptions,
  quantizeModule,
  quantizeNBits,
  randomKey,
  type Tensor,
  tensor,
} from '../src/index.js';
import { interleaved, report, seconds } from './measure.js';

/**
 * One row times quantized weights, as a decoded token meets them: a chain of products in one program, so that what a run
 * costs by itself does not count. Against reading the weights' bytes once, as fast as this process copies an array, and
 * against the same chain in float32.
 */
class Chain extends Module {
  readonly layers: readonly Linear[];

  constructor(width: number, length: number) {
    super();
    this.layers = Array.from({ length }, () => new Linear(width, width, { bias: false }));
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((each, layer) => layer.forward(each), x);
  }
}

const formats: Readonly<Record<string, QuantizeOptions>> = {
  int4: { bits: 4 },
  int4Fast: { bits: 4, accuracyLevel: 4 },
  int8: { bits: 8 },
  int8Fast: { bits: 8, accuracyLevel: 4 },
  nf4: { format: 'nf4' },
  nf4Fast: { format: 'nf4', accuracyLevel: 4 },
};

async function chain(width: number, length: number, options?: QuantizeOptions) {
  const model = new Chain(width, length).initialize(1);
  const report = options && (await quantizeModule(model, options));
  model.freeze();
  const forward = compile((x: Tensor) => model.forward(x));
  const x = tensor(normalFloats(randomKey(1), width), [1, width]);
  const once = async () => dispose([await forward(x)]);
  await once();
  const repeats = Math.max(1, Math.round(2e9 / (width * width * length * 2)));
  const run = () =>
    seconds(async () => {
      for (let i = 0; i < repeats; i++) await once();
    });
  const bytes = report ? report.bytesAfter : width * width * length * 4;
  return { run, perProduct: (time: number) => time / repeats / length, bytes: bytes / length };
}

const source = new Float32Array(64 * 2 ** 20).fill(1);
const destination = new Float32Array(source.length);
const copy = () => seconds(async () => destination.set(source));

let ratio = 0;
const details: Record<string, number> = {};
for (const width of [768, 4096]) {
  const length = Math.max(4, Math.round(24 * (2048 / width)));
  const float = await chain(width, length);
  for (const [name, options] of Object.entries(formats)) {
    const quantized = await chain(width, length, options);
    const [times, floatTimes, copyTimes] = await interleaved(quantized.run, float.run, copy);
    const time = quantized.perProduct(times!.median);
    const bandwidth = (2 * source.byteLength) / copyTimes!.median;
    const floor = quantized.bytes / bandwidth;
    details[`${name} ${width} microseconds`] = time * 1e6;
    details[`${name} ${width} of bandwidth`] = floor / time;
    details[`${name} ${width} over float32`] = float.perProduct(floatTimes!.median) / time;
    if (name === 'int4Fast' && width === 4096) ratio = floor / time;
  }
}

const rows = 2048;
const values = normalFloats(randomKey(2), rows * 4096);
const [quantizing] = await interleaved(() =>
  seconds(async () => quantizeNBits(values, [rows, 4096], { bits: 4, blockSize: 32, symmetric: true })),
);
report('quantized-product', ratio, '>= 0.6', ratio >= 0.6, {
  ...details,
  'quantized megabytes per second': values.byteLength / quantizing!.median / 1e6,
});
await closeEngine();
