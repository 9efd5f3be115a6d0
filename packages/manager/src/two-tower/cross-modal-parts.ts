import {
  add,
  broadcastTo,
  concat,
  Embedding,
  initializers,
  type StreamKey,
  select,
  type Tensor,
} from '@ocelli/core-tensor';
import {
  type BridgeFusionConfig,
  crossModalLayerConfig,
  type ManagerFusionConfig,
  type MeterFusionConfig,
} from './config.js';
import { CrossModalLayer } from './cross-modal-layer.js';
import { type FusionInputs, type FusionOutput, Pooler } from './fusion.js';

/** What every fusion has, under the published names. */
export interface CrossModalParts {
  readonly token_type_embeddings: Embedding;
  readonly cross_modal_text_layers: readonly CrossModalLayer[];
  readonly cross_modal_image_layers: readonly CrossModalLayer[];
  readonly cross_modal_text_pooler: Pooler;
  readonly cross_modal_image_pooler: Pooler;
}

/** States of both modalities, each [batch, tokens, width]. */
export type CrossModalStates = Pick<FusionOutput, 'text' | 'image'>;

export function createCrossModalParts(
  config: ManagerFusionConfig | BridgeFusionConfig | MeterFusionConfig,
): CrossModalParts {
  const { hiddenSize, numLayers, tokenTypes, initializerRange } = config;
  const layers = () => Array.from({ length: numLayers }, () => new CrossModalLayer(crossModalLayerConfig(config)));
  return {
    token_type_embeddings: new Embedding(tokenTypes, hiddenSize, {
      initializer: initializers.normal(0, initializerRange),
    }),
    cross_modal_text_layers: layers(),
    cross_modal_image_layers: layers(),
    cross_modal_text_pooler: new Pooler(hiddenSize, initializerRange),
    cross_modal_image_pooler: new Pooler(hiddenSize, initializerRange),
  };
}

/** state [1 or batch, tokens, width] with the embedding of its token type → [batch, tokens, width] */
export function withTokenType(parts: CrossModalParts, state: Tensor, tokenType: number, batch: number): Tensor {
  const [, tokens, width] = state.shape as [number, number, number];
  const typed = add(state, select(parts.token_type_embeddings.weight, 0, tokenType));
  return broadcastTo(typed, [batch, tokens, width]);
}

/**
 * One cross-modal layer of both modalities: each block has what the other one is given for its context.
 *
 * @param dropoutKeys of the text's block and of the image's
 */
export function crossModalStep(
  parts: CrossModalParts,
  layer: number,
  { text, image }: CrossModalStates,
  {
    textMask,
    imageMask,
    dropoutKeys: [textKey, imageKey],
  }: Pick<FusionInputs, 'textMask' | 'imageMask'> & {
    readonly dropoutKeys: readonly [StreamKey | undefined, StreamKey | undefined];
  },
): CrossModalStates {
  return {
    text: parts.cross_modal_text_layers[layer]!.forward(text, {
      context: image,
      mask: textMask,
      contextMask: imageMask,
      dropoutKey: textKey,
    }),
    image: parts.cross_modal_image_layers[layer]!.forward(image, {
      context: text,
      mask: imageMask,
      contextMask: textMask,
      dropoutKey: imageKey,
    }),
  };
}

/** The states of the last layer, and what is pooled of them. */
export function poolStates(parts: CrossModalParts, { text, image }: CrossModalStates): FusionOutput {
  const pooled = [parts.cross_modal_text_pooler.forward(text), parts.cross_modal_image_pooler.forward(image)];
  return { text, image, pooled: concat(pooled, -1) };
}
