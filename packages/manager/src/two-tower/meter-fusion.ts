import {
  add,
  broadcastTo,
  concat,
  Embedding,
  foldStream,
  initializers,
  Module,
  select,
  type Tensor,
} from '@ocelli/core-tensor';
import {
  crossModalLayerConfig,
  type MeterFusionConfig,
  type MeterFusionConfigInput,
  parseMeterFusionConfig,
} from './config.js';
import { CrossModalLayer } from './cross-modal-layer.js';
import { type FusionInputs, type FusionOptions, type FusionOutput, fusionBatch, Pooler } from './fusion.js';

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
    const { hiddenSize, numLayers, tokenTypes, initializerRange } = this.config;
    this.token_type_embeddings = new Embedding(tokenTypes, hiddenSize, {
      initializer: initializers.normal(0, initializerRange),
    });
    const layers = () =>
      Array.from({ length: numLayers }, () => new CrossModalLayer(crossModalLayerConfig(this.config)));
    this.cross_modal_text_layers = layers();
    this.cross_modal_image_layers = layers();
    this.cross_modal_text_pooler = new Pooler(hiddenSize, initializerRange);
    this.cross_modal_image_pooler = new Pooler(hiddenSize, initializerRange);
  }

  /**
   * The last layer of both encoders, one state each → cross-modal states.
   *
   * @throws ShapeError if there are other numbers of layers, or shapes do not fit
   */
  forward(inputs: FusionInputs, { trainingKey }: FusionOptions = {}): FusionOutput {
    const { hiddenSize, numLayers, tokenTypes } = this.config;
    const batch = fusionBatch('MeterFusion', inputs, { text: 1, image: 1, width: hiddenSize, tokenTypes });
    const { textMask, imageMask, imageTokenType = 1 } = inputs;
    let text = this.typed(inputs.text[0]!, 0, batch);
    let image = this.typed(inputs.image[0]!, imageTokenType, batch);
    for (let layer = 0; layer < numLayers; layer++) {
      const key = (use: number) => trainingKey && foldStream(trainingKey, 2 * layer + use);
      const [ofText, ofImage] = [text, image];
      text = this.cross_modal_text_layers[layer]!.forward(ofText, {
        context: ofImage,
        mask: textMask,
        contextMask: imageMask,
        dropoutKey: key(0),
      });
      image = this.cross_modal_image_layers[layer]!.forward(ofImage, {
        context: ofText,
        mask: imageMask,
        contextMask: textMask,
        dropoutKey: key(1),
      });
    }
    const pooled = concat(
      [this.cross_modal_text_pooler.forward(text), this.cross_modal_image_pooler.forward(image)],
      -1,
    );
    return { text, image, pooled };
  }

  /** state [1 or batch, tokens, width] with the embedding of its token type → [batch, tokens, width] */
  private typed(state: Tensor, tokenType: number, batch: number): Tensor {
    const [, tokens, width] = state.shape as [number, number, number];
    const sum = add(state, select(this.token_type_embeddings.weight, 0, tokenType));
    return broadcastTo(sum, [batch, tokens, width]);
  }
}
