import {
  compareModule,
  compareWithFixture,
  expandDims,
  type Fixture,
  fixtureTensors,
  type ParityChecks,
  type ParityResult,
  parseConfig,
  reshape,
  select,
  type Tensor,
  toTensor,
  withKeyMap,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { BridgeFusion } from '../two-tower/bridge-fusion.js';
import { CrossModalLayer } from '../two-tower/cross-modal-layer.js';
import type { FusionInputs } from '../two-tower/fusion.js';
import { drawNegatives, imageTextContrast, matchingPairs } from '../two-tower/image-text-contrast.js';
import { ManagerFusion } from '../two-tower/manager-fusion.js';
import type { ManagerType } from '../two-tower/managers/config.js';
import { createManager } from '../two-tower/managers/create-manager.js';

const managerTypeOf = { SAUE: 'static-unimodal', AAUE: 'adaptive-unimodal' } as const satisfies Record<
  string,
  ManagerType
>;

const officialManager = {
  manager_type: z.enum(['SAUE', 'AAUE']),
  manager_weight_type: z.enum(['vector', 'scalar']),
  manager_learnable: z.boolean(),
  manager_softmax_temperature: z.number(),
  manager_softmax_temperature_learnable: z.boolean(),
};

const managerOptions = z.object({
  ...officialManager,
  hidden_size: z.int(),
  managed_layers: z.int(),
  layer_index: z.int(),
});

const layerOptions = z.object({
  hidden_size: z.int(),
  num_heads: z.int(),
  mlp_ratio: z.number(),
  layer_norm_eps: z.number(),
});

const fusionOptions = z.object({
  ...officialManager,
  hidden_size: z.int(),
  num_heads: z.int(),
  mlp_ratio: z.number(),
  num_layers: z.int(),
  num_layers_text: z.int(),
  num_layers_image: z.int(),
  managed_layers_text: z.int(),
  managed_layers_image: z.int(),
  token_types: z.int(),
  layer_norm_eps_cross_layers: z.number(),
  layer_norm_eps_managers: z.number(),
  image_token_type_idx: z.int(),
  retrieval_one_image: z.boolean(),
});

/** What the choices of managers are called here. */
function choices(config: z.output<z.ZodObject<typeof officialManager>>) {
  return {
    type: managerTypeOf[config.manager_type],
    weightType: config.manager_weight_type,
    learnable: config.manager_learnable,
    softmaxTemperature: config.manager_softmax_temperature,
    softmaxTemperatureLearnable: config.manager_softmax_temperature_learnable,
  };
}

/** Entries of the first axis. */
function unstack(x: Tensor): Tensor[] {
  return Array.from({ length: x.shape[0]! }, (_, index) => select(x, 0, index));
}

type FusionCheckOptions = z.output<typeof fusionOptions>;

function sharedFusion(config: FusionCheckOptions) {
  return {
    hiddenSize: config.hidden_size,
    numHeads: config.num_heads,
    mlpRatio: config.mlp_ratio,
    numLayers: config.num_layers,
    tokenTypes: config.token_types,
    layerNormEps: config.layer_norm_eps_cross_layers,
  };
}

/** States of one image stand for all texts, without an axis of the batch. */
function fusionInputs(inputs: Readonly<Record<string, Tensor>>, config: FusionCheckOptions): FusionInputs {
  const image = unstack(inputs.image_embedss!);
  return {
    text: unstack(inputs.text_embedss!),
    image: config.retrieval_one_image ? image.map((state) => expandDims(state, 0)) : image,
    textMask: inputs.text_mask,
    imageTokenType: config.image_token_type_idx,
  };
}

function checkFusion(fixture: Fixture, create: (config: FusionCheckOptions) => ManagerFusion | BridgeFusion) {
  const config = parseConfig('fusion fixture', fusionOptions, fixture.config);
  return compareModule(fixture, create(config), (module, inputs) => {
    const { text, image, pooled } = module.forward(fusionInputs(inputs, config));
    return { text_feats: text, image_feats: image, cls_feats: pooled };
  });
}

function checkContrast(fixture: Fixture): Promise<ParityResult> {
  const inputs = Object.fromEntries(
    Object.entries(fixtureTensors(fixture, 'in')).map(([name, value]) => [name, toTensor(value)]),
  );
  const { loss, negativeImageWeights, negativeTextWeights } = imageTextContrast({
    image: inputs.image_feats!,
    text: inputs.text_feats!,
    imageIndex: inputs.image_index!,
    temperature: inputs.temperature!,
  });
  const pairs = matchingPairs(drawNegatives(negativeImageWeights), drawNegatives(negativeTextWeights));
  return compareWithFixture(fixture, {
    outputs: {
      itc_loss: reshape(loss, [1]),
      negative_image_weights: negativeImageWeights,
      negative_text_weights: negativeTextWeights,
      fused_image: pairs.image,
      fused_text: pairs.text,
      itm_labels: pairs.labels,
    },
    inputs,
  });
}

/** Parts of ManagerTower and BridgeTower. */
export const twoTowerChecks: ParityChecks = {
  'manager/mt_manager': (fixture) => {
    const config = parseConfig('mt_manager fixture', managerOptions, fixture.config);
    const manager = createManager({
      ...choices(config),
      hiddenSize: config.hidden_size,
      levels: config.managed_layers,
      layerIndex: config.layer_index,
    });
    const renamed = withKeyMap(fixture, manager, { rules: [], prefixes: ['manager_layer.'] });
    return compareModule(renamed, manager, (module, { hidden_states, cross, extra_query, noise }) => ({
      out: module.forward({ levels: hidden_states!, previous: cross ? [cross] : [], other: extra_query }, { noise }),
    }));
  },

  'manager/mt_cross_layer': (fixture) => {
    const config = parseConfig('mt_cross_layer fixture', layerOptions, fixture.config);
    const layer = new CrossModalLayer({
      hiddenSize: config.hidden_size,
      numHeads: config.num_heads,
      intermediateSize: config.hidden_size * config.mlp_ratio,
      layerNormEps: config.layer_norm_eps,
      hiddenDropout: 0.1,
      attentionDropout: 0.1,
      initializerRange: 0.02,
    });
    return compareModule(fixture, layer, (module, inputs) => ({
      out: module.forward(inputs.hidden_states!, {
        context: inputs.encoder_hidden_states!,
        mask: inputs.mask,
        contextMask: inputs.encoder_mask,
      }),
    }));
  },

  'manager/mt_fusion': (fixture) =>
    checkFusion(
      fixture,
      (config) =>
        new ManagerFusion({
          ...sharedFusion(config),
          textLayers: config.num_layers_text,
          imageLayers: config.num_layers_image,
          managedTextLayers: config.managed_layers_text,
          managedImageLayers: config.managed_layers_image,
          manager: { ...choices(config), layerNormEps: config.layer_norm_eps_managers },
        }),
    ),

  'manager/bt_fusion': (fixture) => checkFusion(fixture, (config) => new BridgeFusion(sharedFusion(config))),

  'manager/mt_itc': checkContrast,
};
