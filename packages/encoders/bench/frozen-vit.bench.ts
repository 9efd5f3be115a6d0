import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeEngine, compile, dispose, exportOnnx, sizeOf, type Tensor, tensor } from '@ocelli/core-tensor';
import * as ort from 'onnxruntime-node';
import { interleaved, report, seconds } from '../../core-tensor/bench/measure.js';
import { ClipVisionTower } from '../src/clip/clip-vision-tower.js';

/** A frozen CLIP ViT-B/16 on 8 images of 224 pixels, to features on the host, against its ONNX file in onnxruntime-node. */
const shape = [8, 3, 224, 224];
const tower = new ClipVisionTower({ imageSize: 224, patchSize: 16 }).initialize(1).freeze();
const pixels = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i));
const encode = compile((images: Tensor) => tower.features(images));

const folder = await mkdtemp(join(tmpdir(), 'ocelli-bench-'));
try {
  const file = join(folder, 'tower.onnx');
  await exportOnnx(file, ({ pixels: images }) => ({ features: tower.features(images!) }), {
    inputs: { pixels: tensor(pixels, shape) },
  });
  const session = await ort.InferenceSession.create(file);
  const [ours, plain] = await interleaved(
    () =>
      seconds(async () => {
        const features = await encode(tensor(pixels, shape));
        await features.data();
        dispose([features]);
      }),
    () => seconds(() => session.run({ pixels: new ort.Tensor('float32', pixels, shape) })),
  );
  const ratio = plain!.median / ours!.median;
  report('frozen-vit', ratio, '>= 0.95', ratio >= 0.95, {
    ratioOfBest: plain!.best / ours!.best,
    imagesPerSecond: shape[0]! / ours!.median,
    plainImagesPerSecond: shape[0]! / plain!.median,
  });
} finally {
  await closeEngine();
  await rm(folder, { recursive: true, force: true });
}
