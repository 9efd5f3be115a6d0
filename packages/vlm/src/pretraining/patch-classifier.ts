import { add, crossEntropy, Linear, Module, type Tensor } from '@ocelli/core-tensor';
import { type ClipVisionConfigInput, ClipVisionTower } from '@ocelli/encoders';
import { patchClasses } from './patch-labels.js';

/**
 * A vision tower that learns to name the colour and the shape of what each patch shows: how a recipe at mini scale
 * gets a tower whose features mean something, where the published systems start from CLIP's.
 */
export class PatchClassifier extends Module {
  readonly vision: ClipVisionTower;
  readonly colours: Linear;
  readonly shapes: Linear;

  /** @param featureLayer hidden state that is classified: the one a projector will get. Default: −2. */
  constructor(
    config: ClipVisionConfigInput,
    readonly featureLayer = -2,
  ) {
    super();
    this.vision = new ClipVisionTower(config);
    const width = this.vision.config.hiddenSize;
    this.colours = new Linear(width, patchClasses.colours);
    this.shapes = new Linear(width, patchClasses.shapes);
  }

  /** pixels [batch, 3, height, width] → colours [batch, patches, classes], shapes [batch, patches, classes] */
  forward(pixels: Tensor): { colours: Tensor; shapes: Tensor } {
    const features = this.vision.features(pixels, { layer: this.featureLayer });
    return { colours: this.colours.forward(features), shapes: this.shapes.forward(features) };
  }

  /** Sum of both mean cross-entropies; labels int32 [batch, patches], as `patchLabels` makes them. */
  loss(pixels: Tensor, labels: { readonly colours: Tensor; readonly shapes: Tensor }): Tensor {
    const { colours, shapes } = this.forward(pixels);
    return add(crossEntropy(colours, labels.colours), crossEntropy(shapes, labels.shapes));
  }
}
