import type { KeyMap, KeyRule } from '@ocelli/core-tensor';
import { openaiClipVisionKeyMap } from '@ocelli/encoders';
import type { TwoTowerModel } from './two-tower-model.js';

/** Heads and what belongs to them; checkpoints have those of their task. */
const headNames = [
  'mlm_score',
  'itm_score',
  'cross_modal_itc_text_head',
  'cross_modal_itc_image_head',
  'temperature',
  'vqa_classifier',
  'snli_classifier',
  'nlvr2_classifier',
  'rank_output',
] as const;

const headPattern = new RegExp(`^(${headNames.join('|')})(\\.|$)`);

/**
 * The layout of ManagerTower's and BridgeTower's checkpoints, which are those of PyTorch Lightning: tensors below
 * `state_dict` as safetensors. Heads that a checkpoint lacks start anew, as in the official fine-tuning; those that the
 * model lacks are ignored, and so is the text side of CLIP.
 */
export function twoTowerKeyMap(model: TwoTowerModel): KeyMap {
  const vision = openaiClipVisionKeyMap.rules.map((rule): KeyRule => {
    const inTower = (path: string) => `vision.${path}`;
    const { parameter } = rule;
    return {
      ...rule,
      key: `vit_model.${rule.key}`,
      parameter: typeof parameter === 'string' ? inTower(parameter) : parameter.map(inTower),
    };
  });
  const below = (root: string, names: readonly string[], key: string): KeyRule[] =>
    names.map((name) => ({ key: `${key}${name}`, parameter: `${root}.${name}` }));
  const names = Object.keys(model.namedParameters());
  const has = (name: string) => model[name as keyof TwoTowerModel] !== undefined;
  return {
    rules: [
      ...vision,
      ...below('text', Object.keys(model.text.namedParameters()), 'text_transformer.'),
      ...below('fusion', Object.keys(model.fusion.namedParameters()), ''),
      ...names
        .filter((name) => name.startsWith('ln_separate.'))
        .map((name) => ({
          key: `vit_model.visual.${name}`,
          parameter: name,
        })),
    ],
    prefixes: ['state_dict.'],
    ignore: [
      /^vit_model\.(positional_embedding|text_projection|logit_scale)$/,
      /^vit_model\.(ln_final|token_embedding|transformer)\./,
      /^vit_model\.visual\.proj$/,
      ...headNames.filter((name) => !has(name)).map((name) => new RegExp(`^${name}(\\.|$)`)),
      ...(model.text.pooler ? [] : [/^text_transformer\.pooler\./]),
    ],
    optional: [headPattern, /^text\.pooler\./],
  };
}
