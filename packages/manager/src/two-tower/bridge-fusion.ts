import { add, type Embedding, foldStream, LayerNorm, Module, type Tensor } from '@ocelli/core-tensor';
import { type BridgeFusionConfig, type BridgeFusionConfigInput, parseBridgeFusionConfig } from './config.js';
import type { CrossModalLayer } from './cross-modal-layer.js';
import {
  type CrossModalStates,
  createCrossModalParts,
  crossModalStep,
  poolStates,
  withTokenType,
} from './cross-modal-parts.js';
import { type FusionInputs, type FusionOptions, type FusionOutput, fusionBatch, type Pooler } from './fusion.js';

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
    ({
      token_type_embeddings: this.token_type_embeddings,
      cross_modal_text_layers: this.cross_modal_text_layers,
      cross_modal_image_layers: this.cross_modal_image_layers,
      cross_modal_text_pooler: this.cross_modal_text_pooler,
      cross_modal_image_pooler: this.cross_modal_image_pooler,
    } = createCrossModalParts(this.config));
    const { hiddenSize, numLayers, linkLayerNormEps } = this.config;
    const links = () => Array.from({ length: numLayers - 1 }, () => new LinkTower(hiddenSize, linkLayerNormEps));
    this.cross_modal_text_layernorm = new LayerNorm(hiddenSize, linkLayerNormEps);
    this.cross_modal_image_layernorm = new LayerNorm(hiddenSize, linkLayerNormEps);
    this.cross_modal_text_link_tower = links();
    this.cross_modal_image_link_tower = links();
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
    const { imageTokenType = 1 } = inputs;
    let states: CrossModalStates | undefined;
    for (let layer = 0; layer < numLayers; layer++) {
      const key = (use: number) => trainingKey && foldStream(trainingKey, 2 * layer + use);
      const text = withTokenType(this, inputs.text[layer]!, 0, batch);
      const image = withTokenType(this, inputs.image[layer]!, imageTokenType, batch);
      const linked: CrossModalStates = states
        ? {
            text: this.cross_modal_text_link_tower[layer - 1]!.forward(text, states.text),
            image: this.cross_modal_image_link_tower[layer - 1]!.forward(image, states.image),
          }
        : {
            text: this.cross_modal_text_layernorm.forward(text),
            image: this.cross_modal_image_layernorm.forward(image),
          };
      states = crossModalStep(this, layer, linked, { ...inputs, dropoutKeys: [key(0), key(1)] });
    }
    return poolStates(this, states!);
  }
}
