import { compareExactly, type ParityCheck, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { parameterSettings } from '../optimizers/parameter-groups.js';

const groupsSchema = z.object({
  lr_mult_head: z.number(),
  lr_mult_cross_modal: z.number(),
  parameters: z.record(z.string(), z.object({ lr_multiplier: z.number(), weight_decay: z.boolean() })),
});

/** `manager/mt_optimizer_groups`: learning-rate multiplier and decay by name (ManagerTower). */
export const checkManagerTowerGroups: ParityCheck = async ({ file, config }) => {
  const {
    lr_mult_head: head,
    lr_mult_cross_modal: crossModal,
    parameters,
  } = parseConfig(`read ${file}`, groupsSchema, config);
  const heads = ['vqa_classifier', 'nlvr2_classifier', 'snli_classifier', 'mlm_score', 'itm_score'];
  const norms = ['LayerNorm', 'norm', 'norm1', 'norm2'];
  const names = Object.keys(parameters);
  const settings = parameterSettings(names, {
    learningRate: 1,
    weightDecay: 1,
    groups: [
      { parameters: heads.map((name) => `*${name}*`), learningRateMultiplier: head },
      { parameters: ['*cross_modal*'], learningRateMultiplier: crossModal },
    ],
    noDecay: ['*bias*', ...norms.flatMap((name) => [`*${name}.bias*`, `*${name}.weight*`])],
  });
  const computed = names.map((name) => {
    const { learningRateMultiplier, weightDecay } = settings.get(name)!;
    return [name, { lr_multiplier: learningRateMultiplier, weight_decay: weightDecay > 0 }];
  });
  return compareExactly(Object.fromEntries(computed), parameters);
};
