import {
  compareModule,
  type Fixture,
  type ParityChecks,
  type ParityResult,
  parseConfig,
  withKeyMap,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import type { TwoTowerConfig } from '../two-tower/config.js';
import { twoTowerKeyMap } from '../two-tower/key-map.js';
import { TwoTowerModel } from '../two-tower/two-tower-model.js';

const managerTypeOf = { SAUE: 'static-unimodal', AAUE: 'adaptive-unimodal' } as const;

const options = z.object({
  hidden_size: z.int(),
  manager_type: z.enum(['SAUE', 'AAUE']),
  manager_weight_type: z.enum(['vector', 'scalar']),
  manager_learnable: z.boolean(),
  manager_softmax_temperature: z.number(),
  manager_softmax_temperature_learnable: z.boolean(),
  num_heads: z.int(),
  mlp_ratio: z.number(),
  num_layers: z.int(),
  managed_layers_text: z.int(),
  managed_layers_image: z.int(),
  input_text_embed_size: z.int(),
  input_image_embed_size: z.int(),
  towers: z.object({
    vocab: z.int(),
    text_heads: z.int(),
    text_mlp: z.number(),
    text_layers: z.int(),
    max_pos: z.int(),
    image: z.int(),
    patch: z.int(),
    image_layers: z.int(),
    image_heads: z.int(),
  }),
  layer_norm_eps_text: z.number(),
  layer_norm_eps_image: z.number(),
  layer_norm_eps_cross_layers: z.number(),
  pad_token_id: z.int(),
});

type Options = z.output<typeof options>;

/** Both towers, which the fixtures describe alike. */
function towers({ towers: sizes, ...config }: Options): Pick<TwoTowerConfig, 'text' | 'vision'> {
  return {
    text: {
      vocabSize: sizes.vocab,
      hiddenSize: config.input_text_embed_size,
      intermediateSize: config.input_text_embed_size * sizes.text_mlp,
      numHiddenLayers: sizes.text_layers,
      numAttentionHeads: sizes.text_heads,
      maxPositionEmbeddings: sizes.max_pos,
      typeVocabSize: 1,
      layerNormEps: config.layer_norm_eps_text,
      padTokenId: config.pad_token_id,
      addPoolingLayer: false,
    },
    vision: {
      hiddenSize: config.input_image_embed_size,
      intermediateSize: 4 * config.input_image_embed_size,
      numHiddenLayers: sizes.image_layers,
      numAttentionHeads: sizes.image_heads,
      imageSize: sizes.image,
      patchSize: sizes.patch,
      layerNormEps: config.layer_norm_eps_image,
    },
  };
}

function shared(config: Options) {
  return {
    hiddenSize: config.hidden_size,
    numHeads: config.num_heads,
    mlpRatio: config.mlp_ratio,
    numLayers: config.num_layers,
    layerNormEps: config.layer_norm_eps_cross_layers,
  };
}

function managers(config: Options): TwoTowerConfig['fusion'] {
  return {
    ...shared(config),
    managedTextLayers: config.managed_layers_text,
    managedImageLayers: config.managed_layers_image,
    manager: {
      type: managerTypeOf[config.manager_type],
      weightType: config.manager_weight_type,
      learnable: config.manager_learnable,
      softmaxTemperature: config.manager_softmax_temperature,
      softmaxTemperatureLearnable: config.manager_softmax_temperature_learnable,
    },
  };
}

/** A whole model: ids and pixels to pooled features. */
function check(fixture: Fixture, fusion: (config: Options) => TwoTowerConfig['fusion']): Promise<ParityResult> {
  const config = parseConfig('two-tower fixture', options, fixture.config);
  const model = new TwoTowerModel({ ...towers(config), fusion: fusion(config)! });
  // The reference's text embeddings are a restatement of Hugging Face's that lets gradients reach the row of padding.
  const { word_embeddings, position_embeddings } = model.text.embeddings;
  for (const table of [word_embeddings, position_embeddings]) Object.assign(table, { paddingIndex: undefined });
  return compareModule(withKeyMap(fixture, model, twoTowerKeyMap(model)), model, (module, inputs) => {
    const { text, image, pooled } = module.forward({ inputIds: inputs.text_ids!, pixelValues: inputs.image! });
    return { text_feats: text, image_feats: image, cls_feats: pooled };
  });
}

/** Whole two-tower models. */
export const twoTowerChecks: ParityChecks = {
  'manager/mt_infer': (fixture) => check(fixture, managers),
  'manager/bt_infer': (fixture) => check(fixture, (config) => ({ type: 'bridge', ...shared(config) })),
};
