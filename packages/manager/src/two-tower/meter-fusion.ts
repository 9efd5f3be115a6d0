import { type Embedding, foldStream, Module } from '@ocelli/core-tensor';
import { type MeterFusionConfig, type MeterFusionConfigInput, parseMeterFusionConfig } from './config.js';
import type { CrossModalLayer } from './cross-modal-layer.js';
import {
  type CrossModalStates,
  createCrossModalParts,
  crossModalStep,
  poolStates,
  withTokenType,
} from './cross-modal-parts.js';
import { type FusionInputs, type FusionOptions, type FusionOutput, fusionBatch, type Pooler } from './fusion.js';

/**
 * METER's cross-modal part (Dou et al. 2022, arXiv 2111.02387), the baseline of bridges and managers: the first
 * cross-modal layer gets the last layer of each encoder as it is, T₀ and V₀; further ones get the outputs before them:
 * Tℓ = Block(Tℓ₋₁, context Vℓ₋₁), Vℓ = Block(Vℓ₋₁, context Tℓ₋₁).
 *
 * Parameters are named as in ManagerTower `src/modules/meter_module.py`, which has them at its root.
 */
export class MeterFusion extends Module {
  readonly config: MeterFusionConfig;
  readonly token_type_embeddings: Embedding;
  readonly cross_modal_text_layers: readonly CrossModalLayer[];
  readonly cross_modal_image_layers: readonly CrossModalLayer[];
  readonly cross_modal_text_pooler: Pooler;
  readonly cross_modal_image_pooler: Pooler;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: MeterFusionConfigInput = {}) {
    super();
    this.config = parseMeterFusionConfig(config);
    ({
      token_type_embeddings: this.token_type_embeddings,
      cross_modal_text_layers: this.cross_modal_text_layers,
      cross_modal_image_layers: this.cross_modal_image_layers,
      cross_modal_text_pooler: this.cross_modal_text_pooler,
      cross_modal_image_pooler: this.cross_modal_image_pooler,
    } = createCrossModalParts(this.config));
  }

  /**
   * The last layer of both encoders, one state each → cross-modal states.
   *
   * @throws ShapeError if there are other numbers of layers, or shapes do not fit
   */
  forward(inputs: FusionInputs, { trainingKey }: FusionOptions = {}): FusionOutput {
    const { hiddenSize, numLayers, tokenTypes } = this.config;
    const batch = fusionBatch('MeterFusion', inputs, { text: 1, image: 1, width: hiddenSize, tokenTypes });
    const { imageTokenType = 1 } = inputs;
    let states: CrossModalStates = {
      text: withTokenType(this, inputs.text[0]!, 0, batch),
      image: withTokenType(this, inputs.image[0]!, imageTokenType, batch),
    };
    for (let layer = 0; layer < numLayers; layer++) {
      const key = (use: number) => trainingKey && foldStream(trainingKey, 2 * layer + use);
      states = crossModalStep(this, layer, states, { ...inputs, dropoutKeys: [key(0), key(1)] });
    }
    return poolStates(this, states);
  }
}
