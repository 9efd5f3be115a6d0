import { evenRows, type KeyMap } from '@ocelli/core-tensor';

/** Hugging Face's layout, which is that of the parameters' paths. */
export const clipVisionKeyMap: KeyMap = { rules: [] };

const block = 'visual.transformer.resblocks.*';
const layer = 'vision_model.encoder.layers.*';
const projections = ['q', 'k', 'v'].map((name) => `${layer}.self_attn.${name}_proj`);

/**
 * The layout of OpenAI's own files and of open_clip. The projection of the class token to the space of the texts is not
 * the tower's. Source: Hugging Face's `convert_clip_original_pytorch_to_hf.py`.
 */
export const openaiClipVisionKeyMap: KeyMap = {
  rules: [
    { key: 'visual.class_embedding', parameter: 'vision_model.embeddings.class_embedding' },
    { key: 'visual.positional_embedding', parameter: 'vision_model.embeddings.position_embedding.weight' },
    { key: 'visual.conv1.weight', parameter: 'vision_model.embeddings.patch_embedding.weight' },
    ...both('visual.ln_pre', 'vision_model.pre_layrnorm'),
    {
      key: `${block}.attn.in_proj_weight`,
      parameter: projections.map((path) => `${path}.weight`),
      layout: evenRows(3),
    },
    { key: `${block}.attn.in_proj_bias`, parameter: projections.map((path) => `${path}.bias`), layout: evenRows(3) },
    ...both(`${block}.attn.out_proj`, `${layer}.self_attn.out_proj`),
    ...both(`${block}.ln_1`, `${layer}.layer_norm1`),
    ...both(`${block}.ln_2`, `${layer}.layer_norm2`),
    ...both(`${block}.mlp.c_fc`, `${layer}.mlp.fc1`),
    ...both(`${block}.mlp.c_proj`, `${layer}.mlp.fc2`),
    ...both('visual.ln_post', 'vision_model.post_layernorm'),
  ],
  ignore: [/^visual\.proj$/],
};

function both(key: string, parameter: string): { key: string; parameter: string }[] {
  return ['weight', 'bias'].map((end) => ({ key: `${key}.${end}`, parameter: `${parameter}.${end}` }));
}
