import {
  compareWithFixture,
  type Fixture,
  type FixtureTensor,
  fixtureTensors,
  Module,
  mean,
  notEqual,
  type ParityCheck,
  type ParityResult,
  parseConfig,
  reshape,
  type Tensor,
  tensor,
  toTensor,
  transpose,
  withKeyMap,
} from '@ocelli/core-tensor';
import type { VisionEncoder } from '@ocelli/encoders';
import { llamaConfigFromHuggingFace } from '@ocelli/language';
import type { MoaiMode } from '@ocelli/moai-mixer';
import { z } from 'zod';
import { assembleSequences } from '../assemble.js';
import type { MoaiDecoderConfigInput } from '../moai/config.js';
import { moaiDecoderKeyMap, moaiKeyMap } from '../moai/key-map.js';
import { type MergedPrompts, mergeImageTokens } from '../moai/merge.js';
import { MoaiDecoder } from '../moai/moai-decoder.js';
import { MoaiModel } from '../moai/moai-model.js';

const decoderFields = z.object({
  num_hidden_layers: z.number(),
  expert_heads: z.number(),
  expert_rank: z.number(),
  lora_r: z.number(),
  lora_alpha: z.number(),
  gate_softmax: z.enum(['float32', 'official']),
});

/** The decoder of a fixture; `mixed` are its layers with a mixer. */
export function moaiDecoderConfig(
  config: unknown,
  mixed: (layers: number) => readonly number[] = everyEighth,
): MoaiDecoderConfigInput {
  const fields = parseConfig('moai fixture', decoderFields, config);
  return {
    language: llamaConfigFromHuggingFace({ ...(config as object), model_type: 'internlm2' }),
    mixers: {
      layers: [...mixed(fields.num_hidden_layers)],
      numHeads: fields.expert_heads,
      rank: fields.expert_rank,
      gatePrecision: fields.gate_softmax,
    },
    partialLora: { rank: fields.lora_r, alpha: fields.lora_alpha },
  };
}

/** Layers 7, 15, 23 … */
function everyEighth(layers: number): number[] {
  return Array.from({ length: layers }, (_, layer) => layer).filter((layer) => (layer + 1) % 8 === 0);
}

/** A fixture whose weights, found in a model under a prefix of their names, are in the model. */
export function withWeights(stored: Fixture, module: MoaiDecoder | MoaiModel, prefix = ''): Fixture {
  const tensors = [...stored.tensors].map(([name, value]): [string, FixtureTensor] => [
    name.replace(/^(param|grad)\./, `$1.${prefix}`),
    value,
  ]);
  const map = module instanceof MoaiModel ? moaiKeyMap(module) : moaiDecoderKeyMap(module);
  const fixture = withKeyMap({ ...stored, tensors: new Map(tensors) }, module, map);
  const state = module.namedParameters();
  const given = fixtureTensors(fixture, 'param');
  // A fixture of one layer has no weights for the others; all that it has must be the model's.
  const others = Object.fromEntries(
    Object.entries(state)
      .filter(([name]) => !(name in given))
      .map(([name, { shape }]) => [name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }]),
  );
  module.loadState({ ...others, ...given });
  return fixture;
}

export function inputsOf(fixture: Fixture): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    Object.entries(fixtureTensors(fixture, 'in')).map(([name, value]) => [name, toTensor(value)]),
  );
}

/** Hidden states around the mixer, and the last one. */
export const checkMoaiStack: ParityCheck = (stored) => {
  const decoder = new MoaiDecoder(moaiDecoderConfig(stored.config));
  const fixture = withWeights(stored, decoder, 'model.');
  const inputs = inputsOf(fixture);
  const { hiddenStates } = decoder.forward({
    inputsEmbeds: inputs.inputs_embeds!,
    attentionMask: inputs.attention!,
    imageMask: notEqual(inputs.im_mask!, 0),
    languageMask: notEqual(inputs.lang_mask!, 0),
    aux: inputs.aux!,
  });
  const mixed = decoder.config.mixers.layers[0]!;
  return compareWithFixture(fixture, {
    outputs: {
      before_mixer_layer: hiddenStates[mixed]!,
      after_mixer_layer: hiddenStates[mixed + 1]!,
      last_hidden_state: hiddenStates.at(-1)!,
    },
    parameters: decoder.namedParameters(),
    inputs,
  });
};

const modelFields = z.object({
  patch: z.number(),
  compressor: z.object({
    depth: z.number(),
    dim_head: z.number(),
    heads: z.number(),
    num_latents: z.number(),
    ff_mult: z.number(),
  }),
  image_token_index: z.number(),
  mode: z.string(),
});

/** A vision tower without weights: the mean of each patch. */
class PatchMeans extends Module implements VisionEncoder {
  readonly config: { readonly type: 'patch-means' } = { type: 'patch-means' };
  readonly width = 3;
  readonly imageSize = undefined;

  constructor(
    private readonly patch: number,
    private readonly size: readonly [height: number, width: number],
  ) {
    super();
  }

  /** pixels [batch, 3, height, width] → [batch, patches, 3] */
  features(pixels: Tensor): Tensor {
    const [batch, channels] = pixels.shape as [number, number];
    const [rows, columns] = this.featureGrid();
    const patches = reshape(pixels, [batch, channels, rows, this.patch, columns, this.patch]);
    return transpose(reshape(mean(patches, { axes: [3, 5] }), [batch, channels, rows * columns]), [0, 2, 1]);
  }

  featureGrid(): [rows: number, columns: number] {
    return [this.size[0] / this.patch, this.size[1] / this.patch];
  }
}

/** The modes by the names of their configuration files. */
export const modes: Readonly<Record<string, MoaiMode>> = {
  'moai_step1.yaml': 'step1',
  'moai_step2.yaml': 'step2',
  'moai_eval.yaml': 'evaluation',
};

/** Compressor, merge, decoder and loss at once. */
export const checkMoaiModel: ParityCheck = (stored) => {
  const fields = parseConfig('moai model fixture', modelFields, stored.config);
  const inputs = inputsOf(stored);
  const { compressor, patch } = fields;
  const [height, width] = inputs.pixel_values!.shape.slice(2) as [number, number];
  const model = new MoaiModel(
    {
      ...moaiDecoderConfig(stored.config),
      compressor: {
        depth: compressor.depth,
        headDim: compressor.dim_head,
        numHeads: compressor.heads,
        numLatents: compressor.num_latents,
        feedForwardMultiplier: compressor.ff_mult,
      },
    },
    { vision: new PatchMeans(patch, [height, width]) },
  );
  const fixture = withWeights(stored, model);
  const merged = mergedRows(fixture, { imageToken: fields.image_token_index, imageTokens: model.imageTokens });
  const cells = [merged.batch, merged.length];
  const { logits, loss } = model.forward(
    {
      inputIds: inputs.input_ids!,
      plan: tensor(merged.plan, cells),
      attentionMask: tensor(merged.attentionMask, cells),
      imageMask: tensor(Int32Array.from(merged.imageMask), cells),
      languageMask: inputs.lang_mask!,
      pixelValues: inputs.pixel_values!,
      aux: inputs.aux_embeds!,
      labels: inputs.labels,
    },
    { mode: modes[fields.mode]! },
  );
  return compareWithFixture(fixture, {
    outputs: { logits, ...(loss && { loss }) },
    parameters: model.namedParameters(),
    inputs,
  });
};

function mergedRows(fixture: Fixture, options: { imageToken: number; imageTokens: number }): MergedPrompts {
  const rows = (name: string) => {
    const { data, shape } = fixture.tensors.get(`in.${name}`)!;
    const all = Array.from(data as BigInt64Array, Number);
    const [count, length] = shape as [number, number];
    return Array.from({ length: count }, (_, row) => all.slice(row * length, (row + 1) * length));
  };
  return mergeImageTokens({ inputIds: rows('input_ids'), attentionMask: rows('attention_mask') }, options);
}

const mergeFields = z.object({ image_token_index: z.number() });

/** Embeddings, mask and positions once images are in their places. */
export const checkMoaiMerge: ParityCheck = (fixture): Promise<ParityResult> => {
  const { image_token_index: imageToken } = parseConfig('moai merge fixture', mergeFields, fixture.config);
  const { text, image } = inputsOf(fixture);
  const merged = mergedRows(fixture, { imageToken, imageTokens: image!.shape[1]! });
  const cells = [merged.batch, merged.length];
  return compareWithFixture(fixture, {
    outputs: {
      embeds: assembleSequences(text!, image!, tensor(merged.plan, cells)),
      attention_mask: tensor(merged.attentionMask, cells),
      position_ids: tensor(merged.positions, cells),
    },
  });
};
