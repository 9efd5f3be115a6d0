import { closeEngine, compile, type Tensor, tensor, valueAndGrad } from '@ocelli/core-tensor';
import {
  decodeImage,
  preprocessImage,
  randomKey,
  rasterise,
  renderSceneSvg,
  sampleScene,
  siglipImageProcessor,
} from '@ocelli/data';
import { afterAll, expect, it } from 'vitest';
import { PatchClassifier, patchClasses, patchLabels } from '../../src/index.js';
import { integers, minimise } from '../support.js';

const config = {
  hiddenSize: 24,
  intermediateSize: 32,
  numHiddenLayers: 3,
  numAttentionHeads: 2,
  imageSize: 32,
  patchSize: 8,
} as const;

const count = 2;

/** Pictures of the microworld with the labels of their sixteen patches. */
async function pictures() {
  const scenes = Array.from({ length: count }, (_, seed) =>
    sampleScene(randomKey(seed), { content: 'shapes', objects: { minimum: 5, maximum: 5 } }),
  );
  const side = 32;
  const pixels = new Float32Array(count * 3 * side * side);
  for (const [index, scene] of scenes.entries()) {
    const image = await decodeImage(await rasterise(renderSceneSvg(scene, side), side));
    pixels.set(preprocessImage(image, siglipImageProcessor(side)).data, index * 3 * side * side);
  }
  const labels = scenes.map((scene) => patchLabels(scene, 4));
  return {
    pixels: tensor(pixels, [count, 3, side, side]),
    labels: {
      colours: integers(
        labels.flatMap(({ colours }) => [...colours]),
        [count, 16],
      ),
      shapes: integers(
        labels.flatMap(({ shapes }) => [...shapes]),
        [count, 16],
      ),
    },
  };
}

/** The loss of knowing how frequent each label is, and nothing else. */
async function entropy(labels: Tensor): Promise<number> {
  const values = [...((await labels.data()) as Int32Array)];
  return values.reduce((sum, label) => {
    const share = values.filter((other) => other === label).length / values.length;
    return sum - Math.log(share) / values.length;
  }, 0);
}

afterAll(closeEngine);

it('classifies every patch, and starts from chance', async () => {
  const { pixels, labels } = await pictures();
  const model = new PatchClassifier(config).initialize(0);
  const { colours, shapes } = model.forward(pixels);
  expect(colours.shape).toEqual([count, 16, patchClasses.colours]);
  expect(shapes.shape).toEqual([count, 16, patchClasses.shapes]);
  const chance = Math.log(patchClasses.colours) + Math.log(patchClasses.shapes);
  expect(Math.abs((await model.loss(pixels, labels).item()) - chance)).toBeLessThan(1);
});

it('learns the pictures, and leaves blocks behind the feature layer alone', async () => {
  const { pixels, labels } = await pictures();
  const model = new PatchClassifier(config).initialize(0);
  const parameters = model.trainableParameters();
  const last = parameters['vision.vision_model.encoder.layers.2.mlp.fc1.weight']!;
  const before = Float32Array.from((await last.data()) as Float32Array);
  const step = compile(() => valueAndGrad(() => model.loss(pixels, labels), parameters));
  const losses = await minimise(() => step(), parameters, { steps: 20, learningRate: 0.01 });
  const guessing = (await entropy(labels.colours)) + (await entropy(labels.shapes));
  expect(losses[0]).toBeGreaterThan(guessing);
  expect(losses.at(-1)).toBeLessThan(0.6 * guessing);
  expect(await last.data()).toEqual(before);
});
