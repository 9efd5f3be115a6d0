import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeEngine, compile, dispose, exportOnnx, type Tensor, tensor } from '@ocelli/core-tensor';
import {
  buildTokenizer,
  conversationDataset,
  createLoader,
  createTokenizer,
  generateMicroworld,
  readMicroworldSplit,
  squashImageProcessor,
} from '@ocelli/data';
import { ClipVisionTower } from '@ocelli/encoders';
import * as ort from 'onnxruntime-node';

/**
 * A frozen CLIP ViT-B/16 on PNG files of 256 pixels, from the files to the features, against the same network run by
 * hand in onnxruntime-node on tensors that are ready. Images per second over images per second; both sides in turn.
 */
const target = 0.8;
const size = 224;
const batchSize = 8;
const batches = 4;
const rounds = 5;

const folder = await mkdtemp(join(tmpdir(), 'ocelli-bench-'));
try {
  const world = join(folder, 'world');
  await generateMicroworld(world, { seed: 1, imageSize: 256, scenes: { train: batchSize * batches } });
  const samples = await readMicroworldSplit(world, 'train');
  const conversations = samples.map(({ id, image }) => ({
    id,
    images: [image],
    turns: [
      { role: 'user' as const, text: '<image>\nDescribe the image.' },
      { role: 'assistant' as const, text: 'A picture.' },
    ],
  }));
  const tokenizer = createTokenizer(buildTokenizer(['Describe the image. A picture.'], { vocabularySize: 280 }));

  const tower = new ClipVisionTower({ imageSize: size, patchSize: 16 }).initialize(1).freeze();
  const encode = compile((pixels: Tensor) => tower.features(pixels));
  const shape = [batchSize, 3, size, size];

  const fromFiles = async () => {
    const loader = createLoader(conversationDataset('pictures', conversations), {
      tokenizer,
      template: 'plain',
      imageProcessor: squashImageProcessor(size),
      batchSize,
      visualTokensPerImage: 1,
      maximumLength: 64,
      shuffle: false,
      epochs: 1,
      cacheBytes: 0,
    });
    for await (const { pixelValues } of loader) {
      const features = await encode(tensor(pixelValues, shape));
      dispose([features]);
    }
  };

  const model = join(folder, 'tower.onnx');
  const pixels = new Float32Array(shape.reduce((product, each) => product * each, 1)).fill(0.1);
  await exportOnnx(model, ({ pixels }) => ({ features: tower.features(pixels!) }), {
    inputs: { pixels: tensor(pixels, shape) },
  });
  const session = await ort.InferenceSession.create(model, {
    extra: { session: { force_spinning_stop: '1' } },
  } as ort.InferenceSession.SessionOptions);
  const byHand = async () => {
    for (let batch = 0; batch < batches; batch++) {
      await session.run({ pixels: new ort.Tensor('float32', pixels, shape) });
    }
  };

  const seconds = async (run: () => Promise<void>) => {
    const start = performance.now();
    await run();
    return (performance.now() - start) / 1000;
  };
  const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
  await fromFiles();
  await byHand();
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    times[0].push(await seconds(fromFiles));
    times[1].push(await seconds(byHand));
  }
  const [ours, hand] = times.map(median) as [number, number];
  const images = batchSize * batches;
  const ratio = Number((hand / ours).toPrecision(3));
  console.log(
    JSON.stringify({
      name: 'vit-from-files',
      ratio,
      target: `>= ${target}`,
      holds: ratio >= target,
      imagesPerSecond: Number((images / ours).toPrecision(3)),
      imagesPerSecondByHand: Number((images / hand).toPrecision(3)),
    }),
  );
} finally {
  await closeEngine();
  await rm(folder, { recursive: true, force: true });
}
