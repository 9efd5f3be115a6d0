import {
  compareWithFixture,
  concat,
  expandDims,
  type Fixture,
  fixtureTensors,
  notEqual,
  type ParityCheck,
  type ParityChecks,
  type ParityResult,
  parseConfig,
  reshape,
  sliceAxis,
  squeeze,
  type Tensor,
  tensor,
  toTensor,
  where,
  withKeyMap,
  worstOf,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { type DecoderType, decoderArchitectures } from './llama/architectures.js';
import { llamaConfigFromHuggingFace } from './llama/hugging-face-config.js';
import { maskedPositions } from './llama/input.js';
import { Llama } from './llama/llama.js';
import { rotaryFrequencies, rotaryTablesOf } from './llama/rotary.js';
import { checkGenerate } from './parity/generate.js';
import { checkLogitsProcessors } from './parity/logits-processors.js';
import { checkLora } from './parity/lora.js';

/** The model of a fixture, with its weights, and the fixture under the model's names. */
function modelOf(stored: Fixture, modelType: DecoderType): { model: Llama; fixture: Fixture } {
  const model = new Llama(llamaConfigFromHuggingFace({ ...(stored.config as object), model_type: modelType }));
  const fixture = withKeyMap(stored, model, decoderArchitectures[modelType].keyMap(model.config));
  const { 'lm_head.weight': head, ...others } = fixtureTensors(fixture, 'param');
  model.loadState(head && !model.config.tieWordEmbeddings ? { ...others, 'lm_head.weight': head } : others);
  return { model, fixture };
}

/** The family of a fixture that does not name it, by its weights. */
function typeOf({ tensors }: Fixture): DecoderType {
  const names = [...tensors.keys()];
  if (names.some((name) => name.endsWith('.wqkv.weight'))) return 'internlm2';
  const hasBias = (layer: string) => names.some((name) => name.endsWith(`.${layer}.bias`));
  return hasBias('q_proj') && !hasBias('o_proj') ? 'qwen2' : 'llama';
}

function inputsOf(fixture: Fixture): Readonly<Record<string, Tensor>> {
  const entries = Object.entries(fixtureTensors(fixture, 'in'));
  return Object.fromEntries(entries.map(([name, value]) => [name, toTensor(value)]));
}

/** x [batch, tokens, width] with zeros where padded: fixtures store nothing there. */
function zeroPadding(x: Tensor, mask: Tensor): Tensor {
  return where(expandDims(notEqual(mask, 0), -1), x, 0);
}

/** A whole sequence: hidden states, logits, loss, all gradients. */
function checkForward(modelType: DecoderType): ParityCheck {
  return (stored) => {
    const { model, fixture } = modelOf(stored, modelType);
    const inputs = inputsOf(fixture);
    const mask = inputs.attention_mask!;
    const { hiddenStates, logits, loss } = model.forward({
      inputIds: inputs.input_ids,
      inputsEmbeds: inputs.inputs_embeds,
      attentionMask: mask,
      positions: inputs.position_ids,
      labels: inputs.labels,
    });
    const states = hiddenStates.map((state, index) => [`hidden_states.${index}`, zeroPadding(state, mask)]);
    return compareWithFixture(fixture, {
      outputs: { ...Object.fromEntries(states), logits: zeroPadding(logits, mask), ...(loss ? { loss } : {}) },
      parameters: model.namedParameters(),
      inputs,
    });
  };
}

/** A prompt and steps behind it: logits, and the keys and values that are kept. */
async function checkCache(fixture: Fixture): Promise<ParityResult> {
  const { model } = modelOf(fixture, 'llama');
  const inputs = inputsOf(fixture);
  const { input_ids: inputIds, attention_mask: attentionMask } = inputs as Record<string, Tensor>;
  const [, tokens] = inputIds!.shape as [number, number];
  const steps = Object.keys(inputs).flatMap((name) => /^(step\d+)\.input_ids$/.exec(name)?.[1] ?? []);

  const whole = model.forward({ inputIds, attentionMask, positions: maskedPositions(attentionMask!) });
  let { logits, cache } = model.prefill({ inputIds, attentionMask, capacity: tokens + steps.length });
  const all = concat([sliceAxis(whole.logits, 1, 0, tokens - 1), expandDims(logits, 1)], 1);
  const outputs: Record<string, Tensor> = { 'logits.prefill': zeroPadding(all, attentionMask!) };
  cache.keys.forEach((keys, layer) => {
    const stored = (x: Tensor) => {
      const mask = reshape(notEqual(attentionMask!, 0), [x.shape[0]!, 1, tokens, 1]);
      return where(mask, sliceAxis(x, 2, 0, tokens), 0); // [batch, heads, tokens, headDim]
    };
    outputs[`key.${layer}.prefill`] = stored(keys);
    outputs[`value.${layer}.prefill`] = stored(cache.values[layer]!);
  });
  for (const step of steps) {
    const positions = squeeze(inputs[`${step}.position_ids`]!, 1);
    ({ logits, cache } = model.decodeStep({ inputIds: inputs[`${step}.input_ids`]!, positions, cache }));
    outputs[`logits.${step}`] = expandDims(logits, 1);
  }
  return compareWithFixture(fixture, { outputs });
}

const rotaryCases = z.object({
  cases: z.record(
    z.string(),
    z.object({
      head_dim: z.number(),
      rope_theta: z.number(),
      max_position_embeddings: z.number(),
      rope_scaling: z.unknown().optional(),
    }),
  ),
});

async function checkRotary(fixture: Fixture): Promise<ParityResult> {
  const { cases } = parseConfig('rope_tables fixture', rotaryCases, fixture.config);
  const shared = fixture.tensors.get('in.position_ids');
  const results = Object.entries(cases).map(([name, options]) => {
    const config = llamaConfigFromHuggingFace({ ...options, model_type: 'llama' });
    const positions = toTensor(fixture.tensors.get(`in.${name}.position_ids`) ?? shared!);
    const { frequencies, scaling } = rotaryFrequencies(config, positions);
    const tables = rotaryTablesOf(config, positions);
    // Stored for both halves of a head.
    const both = (x: Tensor) => squeeze(concat([x, x], -1), 1);
    return compareWithFixture(
      fixture,
      {
        outputs: {
          inv_freq: frequencies,
          cos: both(tables.cos),
          sin: both(tables.sin),
          attention_scaling: tensor(scaling),
        },
      },
      name,
    );
  });
  return worstOf(await Promise.all(results));
}

/** Comparisons with published implementations, by kind of fixture. */
export const parityChecks: ParityChecks = {
  'backbones/llama': checkForward('llama'),
  'backbones/qwen2': checkForward('qwen2'),
  'backbones/internlm2': checkForward('internlm2'),
  'backbones/kv_cache': checkCache,
  'backbones/rope_tables': checkRotary,
  'backbones/generate': checkGenerate((fixture) => modelOf(fixture, typeOf(fixture)).model),
  'backbones/logits_processors': checkLogitsProcessors,
  'backbones/lora_llama': checkLora,
};
