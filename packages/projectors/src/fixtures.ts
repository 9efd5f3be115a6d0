import {
  compareModule,
  compareWithFixture,
  fixtureTensors,
  type ParityChecks,
  parseConfig,
  type Tensor,
  toTensor,
  transpose,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { adaptiveAvgPoolChannelsLast } from './c-abstractor/adaptive-pool.js';
import { CAbstractor } from './c-abstractor/c-abstractor.js';
import { RegNetStage } from './c-abstractor/regnet-stage.js';
import { LinearProjector, MlpProjector } from './mlp/mlp-projector.js';
import { Resampler } from './resampler/resampler.js';

/** Fields of all of the official configurations. */
const sharedFields = {
  num_eos_tokens: z.number().default(0),
  pos_emb: z.boolean().default(false),
  initializer_range: z.number().optional(),
  num_query_tokens: z.number(),
  num_input_tokens: z.number(),
  encoder_hidden_size: z.number(),
  output_hidden_size: z.number(),
};

/** What they are called here. */
function shared(config: z.output<z.ZodObject<typeof sharedFields>>) {
  return {
    visionWidth: config.encoder_hidden_size,
    languageWidth: config.output_hidden_size,
    inputTokens: config.num_input_tokens,
    positionEmbedding: config.pos_emb,
    endTokens: config.num_eos_tokens,
    initializerRange: config.initializer_range,
  };
}

const mlpFields = z.object({ ...sharedFields, depth: z.number(), prenorm: z.boolean().optional() });

const cAbstractorFields = z.object({
  ...sharedFields,
  depth: z.number(),
  mlp_depth: z.number(),
  hidden_size: z.number(),
  prenorm: z.boolean().optional(),
});

const resamplerFields = z.object({
  ...sharedFields,
  hidden_size: z.number(),
  num_hidden_layers: z.number(),
  num_attention_heads: z.number(),
  intermediate_size: z.number(),
  layer_norm_eps: z.number().optional(),
});

const stageFields = z.object({
  depth: z.number(),
  in_chs: z.number(),
  out_chs: z.number(),
  stride: z.literal(1),
  dilation: z.literal(1),
  act: z.literal('silu'),
  norm: z.literal('LayerNorm2d'),
});

const poolFields = z.object({ outputs: z.tuple([z.number(), z.number()]) });

const channelsLast = (x: Tensor) => transpose(x, [0, 2, 3, 1]);
const channelsFirst = (x: Tensor) => transpose(x, [0, 3, 1, 2]);

/** Comparisons with published implementations, by kind of fixture. */
export const parityChecks: ParityChecks = {
  'honeybee/mlp': (fixture) => {
    const config = parseConfig('mlp fixture', mlpFields, fixture.config);
    const structure = { ...shared(config), prenorm: config.prenorm };
    const projector =
      config.depth === 1 ? new LinearProjector(structure) : new MlpProjector({ ...structure, depth: config.depth });
    return compareModule(fixture, projector, (module, inputs) => ({ tokens: module.forward(inputs.features!) }));
  },

  'honeybee/c-abstractor': (fixture) => {
    const config = parseConfig('c-abstractor fixture', cAbstractorFields, fixture.config);
    const projector = new CAbstractor({
      ...shared(config),
      prenorm: config.prenorm,
      outputTokens: config.num_query_tokens,
      depth: config.depth,
      mlpDepth: config.mlp_depth,
      hiddenSize: config.hidden_size,
    });
    return compareModule(fixture, projector, (module, inputs) => ({ tokens: module.forward(inputs.features!) }));
  },

  'honeybee/resampler': (fixture) => {
    const config = parseConfig('resampler fixture', resamplerFields, fixture.config);
    const projector = new Resampler({
      ...shared(config),
      outputTokens: config.num_query_tokens,
      hiddenSize: config.hidden_size,
      numHiddenLayers: config.num_hidden_layers,
      numAttentionHeads: config.num_attention_heads,
      intermediateSize: config.intermediate_size,
      layerNormEps: config.layer_norm_eps,
    });
    return compareModule(fixture, projector, (module, inputs) => ({ tokens: module.forward(inputs.features!) }));
  },

  'honeybee/regstage': (fixture) => {
    const { depth, in_chs, out_chs } = parseConfig('regstage fixture', stageFields, fixture.config);
    const stage = new RegNetStage(depth, in_chs, out_chs, 0.02);
    return compareModule(fixture, stage, (module, inputs) => ({
      y: channelsFirst(module.forward(channelsLast(inputs.x!))),
    }));
  },

  'honeybee/adaptive_pool': (fixture) => {
    const { outputs } = parseConfig('adaptive_pool fixture', poolFields, fixture.config);
    const x = toTensor(fixtureTensors(fixture, 'in').x!);
    const y = channelsFirst(adaptiveAvgPoolChannelsLast(channelsLast(x), outputs));
    return compareWithFixture(fixture, { outputs: { y }, inputs: { x } });
  },
};
