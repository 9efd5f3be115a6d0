import {
  compareModule,
  compareWithFixture,
  expandDims,
  fixtureTensors,
  Linear,
  notEqual,
  type ParityCheck,
  parseConfig,
  squeeze,
  type Tensor,
  toTensor,
  withKeyMap,
  withVisualMask,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { MoaiCompressor } from '../compressor/moai-compressor.js';
import { parseMoaiMixerConfig } from '../mixer/config.js';
import { MoaiExpert } from '../mixer/expert.js';
import { addPartialLora } from '../plora/partial-lora.js';

const compressorFields = z.object({
  dim: z.number(),
  depth: z.number(),
  dim_head: z.number(),
  heads: z.number(),
  num_latents: z.number(),
  ff_mult: z.number(),
});

export const checkCompressor: ParityCheck = (fixture) => {
  const config = parseConfig('compressor fixture', compressorFields, fixture.config);
  const compressor = new MoaiCompressor({
    hiddenSize: config.dim,
    depth: config.depth,
    headDim: config.dim_head,
    numHeads: config.heads,
    numLatents: config.num_latents,
    feedForwardMultiplier: config.ff_mult,
  });
  return compareModule(fixture, compressor, (module, { x }) => ({ y: module.forward(x!) }));
};

const expertFields = z.object({ in_features: z.number(), head_num: z.number(), rank: z.number() });

export const checkExpert: ParityCheck = (fixture) => {
  const config = parseConfig('expert fixture', expertFields, fixture.config);
  const expert = new MoaiExpert(
    parseMoaiMixerConfig({ hiddenSize: config.in_features, numHeads: config.head_num, rank: config.rank }),
  );
  const batched = (x: Tensor) => expandDims(x, 0);
  return compareModule(fixture, expert, (module, { q, kv = q }) => ({
    y: squeeze(module.forward(batched(q!), batched(kv!)), 0),
  }));
};

const partialLoraFields = z.object({
  in_features: z.number(),
  out_features: z.number(),
  lora_r: z.number(),
  lora_alpha: z.number(),
  bias: z.boolean(),
});

/** With some image positions, with none, and without a mask. */
export const checkPartialLora: ParityCheck = (stored) => {
  const config = parseConfig('plora fixture', partialLoraFields, stored.config);
  const layer = new Linear(config.in_features, config.out_features, { bias: config.bias });
  addPartialLora([layer], '', { rank: config.lora_r, alpha: config.lora_alpha });
  const fixture = withKeyMap(stored, layer, {
    rules: [
      { key: 'Plora_main.weight', parameter: 'weight' },
      { key: 'Plora_main.bias', parameter: 'bias' },
      { key: 'Plora_A.weight', parameter: 'adapter.Plora_A.weight' },
      { key: 'Plora_B.weight', parameter: 'adapter.Plora_B.weight' },
    ],
  });
  layer.loadState(fixtureTensors(fixture, 'param'));
  const [x, mask] = [toTensor(fixture.tensors.get('in.x')!), toTensor(fixture.tensors.get('in.im_mask')!)];
  const at = (positions: Tensor | undefined) => withVisualMask(positions, () => layer.forward(x));
  return compareWithFixture(fixture, {
    outputs: {
      y: at(notEqual(mask, 0)),
      y_no_image: at(notEqual(mask, mask)),
      y_none: at(undefined),
    },
    parameters: layer.namedParameters(),
    inputs: { x },
  });
};
