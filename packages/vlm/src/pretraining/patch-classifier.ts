import { add, ConfigError, crossEntropy, Linear, Module, type Tensor } from '@ocelli/core-tensor';
import type { VisionEncoder } from '@ocelli/encoders';
import { createVision, featureShape, featuresOf, type VisionConfigInput } from '../vision.js';
import { patchClasses } from './patch-labels.js';

/**
 * A vision encoder that learns to name the colour and the shape of what each patch shows: how a recipe at mini scale
 * gets a tower whose features mean something, where the published systems start from CLIP's.
 */
export class PatchClassifier extends Module {
  readonly vision: VisionEncoder;
  /** Patches along each side of an image. */
  readonly grid: number;
  readonly colours: Linear;
  readonly shapes: Linear;

  /**
   * @param featureLayer hidden state that is classified: the one a projector will get. Default: the encoder's.
   * @throws ConfigError if the configuration is invalid, there is no such layer, or the patches are no square
   */
  constructor(
    config: VisionConfigInput,
    readonly featureLayer?: number | undefined,
  ) {
    super();
    this.vision = createVision(config);
    const { tokens, width } = featureShape(this.vision, featureLayer);
    this.grid = Math.sqrt(tokens);
    if (!Number.isInteger(this.grid)) {
      throw new ConfigError({
        operation: 'PatchClassifier',
        expected: 'an encoder whose features are a square',
        received: `${tokens} of them`,
      });
    }
    this.colours = new Linear(width, patchClasses.colours);
    this.shapes = new Linear(width, patchClasses.shapes);
  }

  /** pixels [batch, 3, height, width] → colours [batch, patches, classes], shapes [batch, patches, classes] */
  forward(pixels: Tensor): { colours: Tensor; shapes: Tensor } {
    const features = featuresOf(this.vision, pixels, this.featureLayer);
    return { colours: this.colours.forward(features), shapes: this.shapes.forward(features) };
  }

  /** Sum of both mean cross-entropies; labels int32 [batch, patches], as `patchLabels` makes them. */
  loss(pixels: Tensor, labels: { readonly colours: Tensor; readonly shapes: Tensor }): Tensor {
    const { colours, shapes } = this.forward(pixels);
    return add(crossEntropy(colours, labels.colours), crossEntropy(shapes, labels.shapes));
  }
}
