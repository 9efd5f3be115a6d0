import type { KeyMap } from '@ocelli/core-tensor';
import type { LlamaConfig } from './config.js';
import { groupedHeads, interleavedPairs } from './weight-layouts.js';

/** Where the head is tied, the token table wins over a stored head. */
function tiedHead({ tieWordEmbeddings }: LlamaConfig, key: string): readonly RegExp[] {
  return tieWordEmbeddings ? [new RegExp(`^${key.replaceAll('.', '\\.')}$`)] : [];
}

/** Names of Hugging Face's `LlamaForCausalLM` and `Qwen2ForCausalLM`, which the parameters have themselves. */
export function llamaKeyMap(config: LlamaConfig): KeyMap {
  return { rules: [], ignore: tiedHead(config, 'lm_head.weight') };
}

/**
 * Names of `InternLM2ForCausalLM`, with queries, keys and values packed per key/value head.
 *
 * Source: `OpenGVLab/InternVL`, `internvl_chat/internvl/model/internlm2/modeling_internlm2.py`.
 */
export function internlm2KeyMap(config: LlamaConfig): KeyMap {
  const { headDim, numAttentionHeads, numKeyValueHeads } = config;
  const projections = (field: string) =>
    ['q_proj', 'k_proj', 'v_proj'].map((name) => `model.layers.*.self_attn.${name}.${field}`);
  const packed = groupedHeads(numKeyValueHeads, numAttentionHeads / numKeyValueHeads, headDim);
  return {
    rules: [
      { key: 'model.tok_embeddings.weight', parameter: 'model.embed_tokens.weight' },
      { key: 'model.layers.*.attention.wqkv.weight', parameter: projections('weight'), layout: packed },
      { key: 'model.layers.*.attention.wqkv.bias', parameter: projections('bias'), layout: packed },
      { key: 'model.layers.*.attention.wo.weight', parameter: 'model.layers.*.self_attn.o_proj.weight' },
      { key: 'model.layers.*.attention.wo.bias', parameter: 'model.layers.*.self_attn.o_proj.bias' },
      { key: 'model.layers.*.feed_forward.w1.weight', parameter: 'model.layers.*.mlp.gate_proj.weight' },
      { key: 'model.layers.*.feed_forward.w3.weight', parameter: 'model.layers.*.mlp.up_proj.weight' },
      { key: 'model.layers.*.feed_forward.w2.weight', parameter: 'model.layers.*.mlp.down_proj.weight' },
      { key: 'model.layers.*.attention_norm.weight', parameter: 'model.layers.*.input_layernorm.weight' },
      { key: 'model.layers.*.ffn_norm.weight', parameter: 'model.layers.*.post_attention_layernorm.weight' },
      { key: 'output.weight', parameter: 'lm_head.weight' },
    ],
    ignore: tiedHead(config, 'output.weight'),
  };
}

/** Names of Meta's own files, whose rotary positions pair neighbouring rows of a head. Source: `meta-llama/llama`. */
export function metaLlamaKeyMap(config: LlamaConfig): KeyMap {
  const rotated = interleavedPairs(config.headDim);
  return {
    rules: [
      { key: 'tok_embeddings.weight', parameter: 'model.embed_tokens.weight' },
      { key: 'layers.*.attention.wq.weight', parameter: 'model.layers.*.self_attn.q_proj.weight', layout: rotated },
      { key: 'layers.*.attention.wk.weight', parameter: 'model.layers.*.self_attn.k_proj.weight', layout: rotated },
      { key: 'layers.*.attention.wv.weight', parameter: 'model.layers.*.self_attn.v_proj.weight' },
      { key: 'layers.*.attention.wo.weight', parameter: 'model.layers.*.self_attn.o_proj.weight' },
      { key: 'layers.*.feed_forward.w1.weight', parameter: 'model.layers.*.mlp.gate_proj.weight' },
      { key: 'layers.*.feed_forward.w3.weight', parameter: 'model.layers.*.mlp.up_proj.weight' },
      { key: 'layers.*.feed_forward.w2.weight', parameter: 'model.layers.*.mlp.down_proj.weight' },
      { key: 'layers.*.attention_norm.weight', parameter: 'model.layers.*.input_layernorm.weight' },
      { key: 'layers.*.ffn_norm.weight', parameter: 'model.layers.*.post_attention_layernorm.weight' },
      { key: 'norm.weight', parameter: 'model.norm.weight' },
      { key: 'output.weight', parameter: 'lm_head.weight' },
    ],
    ignore: [/^rope\.freqs$/, ...tiedHead(config, 'output.weight')],
  };
}
