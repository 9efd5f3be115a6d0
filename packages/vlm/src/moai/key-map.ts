import { type KeyMap, type KeyRule, stackedRows } from '@ocelli/core-tensor';
import { internlm2KeyMap } from '@ocelli/language';
import type { MoaiDecoder } from './moai-decoder.js';
import type { MoaiModel } from './moai-model.js';

/** A linear layer of a block by its published name. */
const linearLayer = /\.(wqkv|wo|w1|w2|w3)\.(weight|bias)$/;

/** InternLM2's rules for a model that is a part, and whose linear layers of blocks have partial LoRA. */
function languageRules({ config: { language, partialLora } }: MoaiDecoder, prefix: string): KeyRule[] {
  const parts = ({ parameter }: KeyRule) => (typeof parameter === 'string' ? [parameter] : parameter);
  const rules = internlm2KeyMap(language).rules.map((rule) => ({
    ...rule,
    parameter: parts(rule).map((name) => `${prefix}language.${name}`),
  }));
  const norm = { key: 'model.norm.weight', parameter: `${prefix}language.model.norm.weight` };
  // The published table has a row more than the vocabulary.
  const table = {
    key: 'model.tok_embeddings.weight',
    parameter: [`${prefix}language.model.embed_tokens.weight`, `${prefix}image_token`],
    layout: stackedRows,
  };
  const others = rules.filter(({ key }) => key !== table.key);
  if (!partialLora) return [table, norm, ...others];
  const adapted = others.flatMap((rule): KeyRule[] => {
    if (!linearLayer.test(rule.key)) return [rule];
    const main = { ...rule, key: rule.key.replace(linearLayer, '.$1.Plora_main.$2') };
    if (rule.key.endsWith('.bias')) return [main];
    const adapter = (part: string) => rule.parameter.map((name) => name.replace(/weight$/, `adapter.${part}.weight`));
    return [
      main,
      { key: rule.key.replace(linearLayer, '.$1.Plora_A.$2'), parameter: adapter('Plora_A')[0]! },
      { ...rule, key: rule.key.replace(linearLayer, '.$1.Plora_B.$2'), parameter: adapter('Plora_B') },
    ];
  });
  return [table, norm, ...adapted];
}

/** Published names of a decoder with mixers. Source: `BK-Lee/MoAI-7B`, its index of tensors. */
export function moaiDecoderKeyMap(decoder: MoaiDecoder, prefix = ''): KeyMap {
  const mixers = Object.keys(decoder.mixers.namedParameters()).map((name) => ({
    key: `model.${name.replace(/^(layers\.\d+)\./, '$1.attention.')}`,
    parameter: `${prefix}mixers.${name}`,
  }));
  return { rules: [...languageRules(decoder, prefix), ...mixers] };
}

/** Published names of a whole model. Source: `BK-Lee/MoAI-7B`, its index of tensors. */
export function moaiKeyMap(model: MoaiModel): KeyMap {
  const tower = Object.keys(model.vision.namedParameters()).map((name) => ({
    key: `vit.vision_tower.${name}`,
    parameter: `vision.${name}`,
  }));
  const projector = ['weight', 'bias'].map((end) => ({
    key: `vision_proj.*.${end}`,
    parameter: `vision_proj.net.*.${end}`,
  }));
  return { rules: [...moaiDecoderKeyMap(model.decoder, 'decoder.').rules, ...tower, ...projector] };
}
