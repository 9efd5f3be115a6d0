import {
  applyRotary,
  attention,
  compareWithFixture,
  concat,
  notEqual,
  type ParityCheck,
  parseConfig,
  reshape,
  squeeze,
  type Tensor,
  tensor,
  where,
  withVisualMask,
} from '@ocelli/core-tensor';
import { rotaryTablesOf } from '@ocelli/language';
import type { MoaiRouting } from '@ocelli/moai-mixer';
import { z } from 'zod';
import { MoaiDecoder } from '../moai/moai-decoder.js';
import { inputsOf, moaiDecoderConfig, modes, withWeights } from './moai.js';

/** Low enough to vanish in a softmax, and twice as low where both masks say no. */
const masked = -1e9;

function positionsFrom(start: number, tokens: number): Tensor {
  return tensor(
    Int32Array.from({ length: tokens }, (_, index) => start + index),
    [1, tokens],
  );
}

/** What is added to the scores of keys that are padding, [batch, 1, 1, keys]. */
function paddingBias(mask: Tensor): Tensor {
  const [batch, tokens] = mask.shape as [number, number];
  return reshape(where(notEqual(mask, 0), 0, masked), [batch, 1, 1, tokens]);
}

const layerFields = z.object({ moai: z.boolean() });

/** One layer, with a mixer or without: output, keys and values, and where there is a next token its output. */
export const checkMoaiLayer: ParityCheck = (stored) => {
  const { moai } = parseConfig('moai layer fixture', layerFields, stored.config);
  const decoder = new MoaiDecoder(moaiDecoderConfig(stored.config, () => [moai ? 0 : 1]));
  const fixture = withWeights(stored, decoder, 'model.layers.0.');
  const inputs = inputsOf(fixture);
  const { hidden, aux, next } = inputs;
  const [imageMask, languageMask] = [notEqual(inputs.im_mask!, 0), notEqual(inputs.lang_mask!, 0)];
  const layer = decoder.language.model.layers[0]!;
  const { config } = decoder.language;
  const [batch, tokens] = hidden!.shape as [number, number];
  const padding = paddingBias(inputs.attention!);

  const outputs: Record<string, Tensor> = {};
  outputs.y = withVisualMask(imageMask, () =>
    layer.forward(
      hidden!,
      rotaryTablesOf(config, positionsFrom(0, tokens)),
      (queries, keys, values) => {
        outputs.k_cache = keys;
        outputs.v_cache = values;
        return attention(queries, keys, values, { causal: true, mask: padding });
      },
      {
        hooks: aux && decoder.mixers.hooks({ aux, languageMask }),
        place: { layer: 0, visualMask: imageMask },
      },
    ),
  );
  if (next) {
    const visible = concat([padding, paddingBias(tensor(new Int32Array(batch).fill(1), [batch, 1]))], -1);
    outputs.y_next = layer.forward(
      next,
      rotaryTablesOf(config, positionsFrom(tokens, 1)),
      (queries, keys, values) =>
        attention(queries, concat([outputs.k_cache!, keys], 2), concat([outputs.v_cache!, values], 2), {
          mask: visible,
        }),
      { place: { layer: 0, visualMask: undefined } },
    );
  }
  return compareWithFixture(fixture, { outputs, parameters: decoder.namedParameters(), inputs });
};

const mixerFields = z.object({ mode: z.string(), dice: z.array(z.number()) });

/** A mixer, and the attention that reads what it mixed. */
export const checkMoaiMixer: ParityCheck = (stored) => {
  const { mode, dice } = parseConfig('moai mixer fixture', mixerFields, stored.config);
  const decoder = new MoaiDecoder(moaiDecoderConfig(stored.config, () => [0]));
  const fixture = withWeights(stored, decoder, 'model.layers.0.attention.');
  const inputs = inputsOf(fixture);
  const { hidden, aux } = inputs;
  const [imageMask, languageMask] = [notEqual(inputs.im_mask!, 0), notEqual(inputs.lang_mask!, 0)];
  const routing: MoaiRouting | undefined =
    dice.length > 0 ? { kind: 'draw', draws: tensor(Int32Array.from(dice)) } : undefined;
  const hooks = decoder.mixers.hooks({ aux: aux!, languageMask, mode: modes[mode]!, ...(routing && { routing }) });
  const mixed = hooks.beforeAttention(hidden!, { layer: 0, visualMask: imageMask });
  const { self_attn } = decoder.language.model.layers[0]!;
  const rotary = rotaryTablesOf(decoder.language.config, positionsFrom(0, hidden!.shape[1]!));
  const y = withVisualMask(imageMask, () =>
    self_attn.forward(mixed, rotary, (queries, keys, values) =>
      attention(queries, keys, values, { causal: true, mask: paddingBias(inputs.attention!) }),
    ),
  );
  return compareWithFixture(fixture, { outputs: { mixed, y }, parameters: decoder.namedParameters(), inputs });
};

const rotaryFields = z.object({
  cases: z.array(
    z.object({
      dim: z.number(),
      max_position_embeddings: z.number(),
      base: z.number(),
      dynamic_factor: z.number().nullable(),
      seq_len: z.number(),
    }),
  ),
});

/** Angles within and beyond the trained length, and what they do to queries and keys. */
export const checkMoaiRotary: ParityCheck = (fixture) => {
  const { cases } = parseConfig('moai rope fixture', rotaryFields, fixture.config);
  const inputs = inputsOf(fixture);
  const outputs = cases.map((each, index): [string, Tensor][] => {
    const config = {
      headDim: each.dim,
      ropeTheta: each.base,
      maxPositionEmbeddings: each.max_position_embeddings,
      ropeScaling: each.dynamic_factor === null ? null : { type: 'dynamic' as const, factor: each.dynamic_factor },
    };
    const tables = rotaryTablesOf(config, positionsFrom(0, each.seq_len));
    // Stored for both halves of a head.
    const both = (x: Tensor) => squeeze(squeeze(concat([x, x], -1), 0), 0);
    return [
      [`cos${index}`, both(tables.cos)],
      [`sin${index}`, both(tables.sin)],
      [`q${index}`, applyRotary(inputs[`q${index}`]!, tables)],
      [`k${index}`, applyRotary(inputs[`k${index}`]!, tables)],
    ];
  });
  return compareWithFixture(fixture, { outputs: Object.fromEntries(outputs.flat()) });
};
