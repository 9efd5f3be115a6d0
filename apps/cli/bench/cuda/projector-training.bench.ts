import { tensor } from '@ocelli/core-tensor';
import { clipVisionConfigs, clipVisionMacs } from '@ocelli/encoders';
import { type VisionLanguageBatch, VisionLanguageModel } from '@ocelli/vlm';
import { cudaBench } from '../../../../packages/core-tensor/bench/cuda/bench.js';
import { sideOf } from '../../../../packages/core-tensor/bench/cuda/timing.js';
import { fillLargeWeights } from '../../../../packages/core-tensor/bench/cuda/weights.js';
import { attentionProducts, decoderConfig, layerProducts } from '../../../../packages/language/bench/cuda/sizes.js';
import { abstractorProducts } from '../../../../packages/projectors/bench/cuda/products.js';
import { madeUpTokens, trainingStep } from './training.js';

/**
 * A training step of ViT-L/14 at 336 pixels, a C-Abstractor and a decoder of Qwen2-0.5B's shape, of which the
 * C-Abstractor learns: 8 sequences of 1,024 tokens with an image each.
 */
await cudaBench('projector-training', async ({ tiny, compare }) => {
  const language = decoderConfig(tiny);
  const [batch, tokens] = tiny ? [2, 32] : [8, 1024];
  const large = clipVisionConfigs['clip-vit-large-patch14-336'];
  const small = { hiddenSize: 32, intermediateSize: 48, numHiddenLayers: 3, numAttentionHeads: 4, imageSize: 56 };
  const vision = tiny ? { ...large, ...small } : large;
  const shape = tiny ? { outputTokens: 4, hiddenSize: 32, depth: 2 } : {};
  const model = new VisionLanguageModel({ vision, projector: { type: 'c-abstractor', ...shape }, language });
  model.initialize(0).freeze('vision', 'language');
  fillLargeWeights(model);

  const [visual, side, patches] = [
    model.visualTokensPerImage,
    vision.imageSize,
    (vision.imageSize / vision.patchSize) ** 2,
  ];
  const inputs: VisionLanguageBatch = madeUpBatch({ batch, tokens, visual, side, vocabulary: language.vocabSize });
  const { step, trained } = trainingStep(model, inputs, (given) => model.loss(given));
  const projector = model.projector.config;
  if (projector.type !== 'c-abstractor') throw new TypeError(`a C-Abstractor was asked for, not ${projector.type}`);

  // A frozen layer behind what learns has one product in the backward pass instead of two, attention has both.
  const head = language.hiddenSize * language.vocabSize;
  const multiplications =
    clipVisionMacs({ ...vision, numHiddenLayers: vision.numHiddenLayers - 1 }, vision.imageSize) +
    3 * abstractorProducts(projector, patches) +
    2 * tokens * (layerProducts(language) + head) +
    3 * attentionProducts(language, tokens);
  await compare({
    bench: 'projector-training',
    ours: sideOf(step),
    peer: {
      script: new URL('./projector_training.py', import.meta.url),
      sizes: { vision, projector, language, batch, tokens, visual },
    },
    work: { flops: 2 * batch * multiplications },
    targets: { eager: 1.2 },
    repetition: { rounds: 7, steps: 5 },
    details: { trained: Object.values(trained).reduce((sum, { size }) => sum + size, 0), imagesPerStep: batch },
  });
});

interface BatchShape {
  readonly batch: number;
  readonly tokens: number;
  /** Positions that an image takes. */
  readonly visual: number;
  /** Of an image, in pixels. */
  readonly side: number;
  readonly vocabulary: number;
}

/** An image in front of text in each row; the text is learned. */
function madeUpBatch({ batch, tokens, visual, side, vocabulary }: BatchShape): VisionLanguageBatch {
  const cells = [batch, tokens];
  const ids = madeUpTokens(batch * tokens, vocabulary);
  const int = (of: (row: number, place: number) => number) =>
    tensor(
      Int32Array.from({ length: batch * tokens }, (_, i) => of(Math.floor(i / tokens), i % tokens)),
      cells,
    );
  const pixels = Float32Array.from({ length: batch * 3 * side * side }, (_, i) => Math.sin(i * 0.37));
  return {
    inputIds: tensor(ids, cells),
    plan: int((row, place) => (place < visual ? batch * tokens + row * visual + place : row * tokens + place)),
    labels: int((row, place) => (place < visual ? -100 : ids[row * tokens + place]!)),
    attentionMask: int(() => 1),
    positions: int((_, place) => place),
    pixelValues: tensor(pixels, [batch, 3, side, side]),
  };
}
