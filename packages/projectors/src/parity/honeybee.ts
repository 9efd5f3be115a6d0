import {
  add,
  compareModule,
  compareWithFixture,
  fixtureTensors,
  type ParityChecks,
  parseConfig,
  type Tensor,
  tensor,
  toTensor,
  transpose,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { adaptiveAvgPoolChannelsLast } from '../c-abstractor/adaptive-pool.js';
import { ConvolutionStage } from '../c-abstractor/convolution-stage.js';
import { initialReferencePoints } from '../d-abstractor/reference-points.js';
import { DeformableAttention } from '../deformable-attention/deformable-attention.js';
import type { Projector } from '../projector.js';
import { createProjector } from '../registry.js';

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

const dAbstractorFields = z.object({
  ...sharedFields,
  num_feature_levels: z.literal(1),
  d_model: z.number(),
  decoder_layers: z.number(),
  decoder_attention_heads: z.number().optional(),
  decoder_n_points: z.number().optional(),
  decoder_ffn_dim: z.number().optional(),
  pooled_v_target: z.enum(['query', 'tgt', 'none']),
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

const referenceFields = z.object({ num_input_tokens: z.number(), num_query_tokens: z.number() });

const attentionFields = z.object({
  d_model: z.number(),
  heads: z.number(),
  points: z.number(),
  spatial_shapes: z.array(z.tuple([z.number(), z.number()])),
});

const channelsLast = (x: Tensor) => transpose(x, [0, 2, 3, 1]);
const channelsFirst = (x: Tensor) => transpose(x, [0, 3, 1, 2]);

const tokensOf = (projector: Projector, inputs: Readonly<Record<string, Tensor>>) => ({
  tokens: projector.forward(inputs.features!),
});

/** Honeybee's projectors and their parts. */
export const honeybeeChecks: ParityChecks = {
  'honeybee/mlp': (fixture) => {
    const config = parseConfig('mlp fixture', mlpFields, fixture.config);
    const structure = { ...shared(config), prenorm: config.prenorm };
    const projector =
      config.depth === 1
        ? createProjector({ type: 'linear', ...structure })
        : createProjector({ type: 'mlp', ...structure, depth: config.depth });
    return compareModule(fixture, projector, tokensOf);
  },

  'honeybee/c-abstractor': (fixture) => {
    const config = parseConfig('c-abstractor fixture', cAbstractorFields, fixture.config);
    const projector = createProjector({
      type: 'c-abstractor',
      ...shared(config),
      prenorm: config.prenorm,
      outputTokens: config.num_query_tokens,
      depth: config.depth,
      mlpDepth: config.mlp_depth,
      hiddenSize: config.hidden_size,
    });
    return compareModule(fixture, projector, tokensOf);
  },

  'honeybee/d-abstractor': (fixture) => {
    const config = parseConfig('d-abstractor fixture', dAbstractorFields, fixture.config);
    const { pooled_v_target: target } = config;
    const projector = createProjector({
      type: 'd-abstractor',
      ...shared(config),
      outputTokens: config.num_query_tokens,
      hiddenSize: config.d_model,
      numHiddenLayers: config.decoder_layers,
      numAttentionHeads: config.decoder_attention_heads,
      numPoints: config.decoder_n_points,
      intermediateSize: config.decoder_ffn_dim,
      pooledTarget: target === 'tgt' ? 'target' : target,
    });
    return compareModule(fixture, projector, tokensOf);
  },

  'honeybee/dabs_reference_points': (fixture) => {
    const config = parseConfig('reference points fixture', referenceFields, fixture.config);
    const outputs = Object.keys(fixtureTensors(fixture, 'out')).map((name) => {
      // Further cases have their numbers in their names.
      const [, queries = config.num_query_tokens, features = config.num_input_tokens] =
        /_(\d+)_of_(\d+)$/.exec(name) ?? [];
      const points = initialReferencePoints(Number(features), Number(queries));
      return [name, tensor(points, [1, points.length / 2, 2])] as const;
    });
    return compareWithFixture(fixture, { outputs: Object.fromEntries(outputs) });
  },

  'honeybee/deformable_attention': (fixture) => {
    const config = parseConfig('deformable attention fixture', attentionFields, fixture.config);
    const { d_model: width, heads, points, spatial_shapes: grids } = config;
    const attention = new DeformableAttention({ width, heads, points, levels: grids.length });
    return compareModule(fixture, attention, (module, { queries, position, reference, memory }) => {
      const { output, weights } = module.forward(add(queries!, position!), reference!, memory!, grids);
      return { y: output, attention: weights };
    });
  },

  'honeybee/resampler': (fixture) => {
    const config = parseConfig('resampler fixture', resamplerFields, fixture.config);
    const projector = createProjector({
      type: 'resampler',
      ...shared(config),
      outputTokens: config.num_query_tokens,
      hiddenSize: config.hidden_size,
      numHiddenLayers: config.num_hidden_layers,
      numAttentionHeads: config.num_attention_heads,
      intermediateSize: config.intermediate_size,
      layerNormEps: config.layer_norm_eps,
    });
    return compareModule(fixture, projector, tokensOf);
  },

  'honeybee/regstage': (fixture) => {
    const { depth, in_chs, out_chs } = parseConfig('regstage fixture', stageFields, fixture.config);
    const stage = new ConvolutionStage(depth, in_chs, out_chs, { deviation: 0.02 });
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
