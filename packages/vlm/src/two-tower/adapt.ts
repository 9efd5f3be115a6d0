import type { StateEntry } from '@ocelli/core-tensor';
import { resizeClipPositions } from '@ocelli/encoders';
import type { TwoTowerHeadsInput } from './config.js';
import { TwoTowerModel } from './two-tower-model.js';

/** What fine-tuning changes about a model. */
export interface TwoTowerChanges {
  /** Side of the images in pixels: positions are interpolated bicubically (`adapt_position_encoding`). */
  readonly imageSize?: number;
  /** The heads of the task; those that are there already keep their weights, others start anew. */
  readonly heads?: TwoTowerHeadsInput;
  /** Norms of the vision encoder's layers; separate ones start as the encoder's final norm. Default: as they are. */
  readonly visionNorms?: 'shared' | 'separate';
}

const positionKey = 'vision.vision_model.embeddings.position_embedding.weight';
const visionNormKey = 'vision.vision_model.post_layernorm';
const tokenTypeKey = 'fusion.token_type_embeddings.weight';

/**
 * The same model for another task or another size of images. NLVR² needs a third token type, for the second image: it
 * starts as the first image's. Ranking starts as class 1 of matching, which is frozen beside it.
 *
 * @throws ConfigError if the image is smaller than a patch, or a head is unknown
 */
export async function adaptTwoTower(
  model: TwoTowerModel,
  { imageSize, heads, visionNorms = model.config.visionNorms }: TwoTowerChanges,
): Promise<TwoTowerModel> {
  const { text, vision, fusion } = model.config;
  const types = heads?.visualReasoning ? Math.max(3, fusion.tokenTypes) : fusion.tokenTypes;
  const adapted = new TwoTowerModel({
    text,
    vision: { ...vision, imageSize: imageSize ?? vision.imageSize },
    fusion: { ...fusion, tokenTypes: types },
    visionNorms,
    heads: heads ?? model.config.heads,
  });
  const state = await model.state();
  if (adapted.config.vision.imageSize !== vision.imageSize) {
    const { weight } = model.vision.vision_model.embeddings.position_embedding;
    const resized = resizeClipPositions(weight, adapted.vision.featureGrid());
    state[positionKey] = { shape: resized.shape, data: await resized.data() };
  }
  state[tokenTypeKey] = withRows(state[tokenTypeKey]!, types);
  for (const layer of model.ln_separate ? [] : (adapted.ln_separate?.keys() ?? [])) {
    for (const part of ['weight', 'bias']) state[`ln_separate.${layer}.${part}`] = state[`${visionNormKey}.${part}`]!;
  }
  // A head of another size starts anew.
  const parameters = adapted.namedParameters();
  const kept = Object.entries(state).filter(([name, { shape }]) => parameters[name]?.shape.join() === shape.join());
  adapted.loadState(Object.fromEntries(kept), { strict: false });
  if (adapted.rank_output && model.itm_score && !model.rank_output) {
    await adapted.rank_output.startFrom(model.itm_score);
    adapted.itm_score?.freeze();
  }
  return adapted;
}

/** A table of token types with so many rows; further ones repeat that of the image. */
function withRows({ shape, data }: StateEntry, rows: number): StateEntry {
  const [before, width] = shape as readonly [number, number];
  const values = new Float32Array(rows * width);
  values.set(data as Float32Array);
  for (let row = before; row < rows; row++) values.set((data as Float32Array).subarray(width, 2 * width), row * width);
  return { shape: [rows, width], data: values };
}
