import {
  add,
  broadcastTo,
  concat,
  Embedding,
  foldStream,
  initializers,
  LayerNorm,
  Module,
  select,
  type Tensor,
} from '@ocelli/core-tensor';
import {
  type BridgeFusionConfig,
  type BridgeFusionConfigInput,
  crossModalLayerConfig,
  parseBridgeFusionConfig,
} from './config.js';
import { CrossModalLayer } from './cross-modal-layer.js';
import { type FusionInputs, type FusionOptions, type FusionOutput, fusionBatch, Pooler } from './fusion.js';

/** LN(x + y): one layer of an encoder added to a cross-modal output. Key `LayerNorm`. */
class LinkTower extends Module {
  readonly LayerNorm: LayerNorm;

  constructor(width: number, epsilon: number) {
    super();
    this.LayerNorm = new LayerNorm(width, epsilon);
  }

  forward(level: Tensor, previous: Tensor): Tensor {
    return this.LayerNorm.forward(add(level, previous));
  }
}

/**
 * BridgeTower's cross-modal part (Xu et al. 2022, arXiv 2206.08657), the baseline of the managers: cross-modal layer ℓ
 * gets one layer of each encoder, the ℓ-th of the topmost, added to the output of the layer before and normalised.
 *
 * Parameters are named as in ManagerTower `src/modules/bt_module.py`, which has them at its root.
 */
export class BridgeFusion extends Module {
  readonly config: BridgeFusionConfig;
  readonly token_type_embeddings: Embedding;
  readonly cross_modal_text_layers: readonly CrossModalLayer[];
  readonly cross_modal_image_layers: readonly CrossModalLayer[];
  readonly cross_modal_text_layernorm: LayerNorm;
  readonly cross_modal_image_layernorm: LayerNorm;
  readonly cross_modal_text_link_tower: readonly LinkTower[];
  readonly cross_modal_image_link_tower: readonly LinkTower[];
  readonly cross_modal_text_pooler: Pooler;
  readonly cross_modal_image_pooler: Pooler;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: BridgeFusionConfigInput = {}) {
    super();
    this.config = parseBridgeFusionConfig(config);
    const { hiddenSize, numLayers, tokenTypes, initializerRange, linkLayerNormEps } = this.config;
    this.token_type_embeddings = new Embedding(tokenTypes, hiddenSize, {
      initializer: initializers.normal(0, initializerRange),
    });
    const layers = () =>
      Array.from({ length: numLayers }, () => new CrossModalLayer(crossModalLayerConfig(this.config)));
    const links = () => Array.from({ length: numLayers - 1 }, () => new LinkTower(hiddenSize, linkLayerNormEps));
    this.cross_modal_text_layers = layers();
    this.cross_modal_image_layers = layers();
    this.cross_modal_text_layernorm = new LayerNorm(hiddenSize, linkLayerNormEps);
    this.cross_modal_image_layernorm = new LayerNorm(hiddenSize, linkLayerNormEps);
    this.cross_modal_text_link_tower = links();
    this.cross_modal_image_link_tower = links();
    this.cross_modal_text_pooler = new Pooler(hiddenSize, initializerRange);
    this.cross_modal_image_pooler = new Pooler(hiddenSize, initializerRange);
  }

  /**
   * As many topmost layers of both encoders as there are cross-modal layers → cross-modal states.
   *
   * @throws ShapeError if there are other numbers of layers, or shapes do not fit
   */
  forward(inputs: FusionInputs, { trainingKey }: FusionOptions = {}): FusionOutput {
    const { hiddenSize, numLayers, tokenTypes } = this.config;
    const sizes = { text: numLayers, image: numLayers, width: hiddenSize, tokenTypes };
    const batch = fusionBatch('BridgeFusion', inputs, sizes);
    const { textMask, imageMask, imageTokenType = 1 } = inputs;
    let text: Tensor | undefined;
    let image: Tensor | undefined;
    for (let layer = 0; layer < numLayers; layer++) {
      const key = (use: number) => trainingKey && foldStream(trainingKey, 2 * layer + use);
      const ownText = this.typed(inputs.text[layer]!, 0, batch);
      const ownImage = this.typed(inputs.image[layer]!, imageTokenType, batch);
      const linkedText: Tensor = text
        ? this.cross_modal_text_link_tower[layer - 1]!.forward(ownText, text)
        : this.cross_modal_text_layernorm.forward(ownText);
      const linkedImage: Tensor = image
        ? this.cross_modal_image_link_tower[layer - 1]!.forward(ownImage, image)
        : this.cross_modal_image_layernorm.forward(ownImage);
      text = this.cross_modal_text_layers[layer]!.forward(linkedText, {
        context: linkedImage,
        mask: textMask,
        contextMask: imageMask,
        dropoutKey: key(0),
      });
      image = this.cross_modal_image_layers[layer]!.forward(linkedImage, {
        context: linkedText,
        mask: imageMask,
        contextMask: textMask,
        dropoutKey: key(1),
      });
    }
    const pooled = concat(
      [this.cross_modal_text_pooler.forward(text!), this.cross_modal_image_pooler.forward(image!)],
      -1,
    );
    return { text: text!, image: image!, pooled };
  }

  /** state [1 or batch, tokens, width] with the embedding of its token type → [batch, tokens, width] */
  private typed(state: Tensor, tokenType: number, batch: number): Tensor {
    const [, tokens, width] = state.shape as [number, number, number];
    const sum = add(state, select(this.token_type_embeddings.weight, 0, tokenType));
    return broadcastTo(sum, [batch, tokens, width]);
  }
}
