/** Learning rates and weight decay by the names of parameters, as `parameterGroups` of `@ocelli/trainer` takes them. */
export interface TwoTowerParameterRules {
  readonly groups: readonly { readonly parameters: string[]; readonly learningRateMultiplier: number }[];
  /** Patterns of names that do not decay. */
  readonly noDecay: readonly string[];
}

/** Options of {@link twoTowerParameterRules}. */
export interface TwoTowerParameterOptions {
  /** Heads that the released code knows by name. */
  readonly head: number;
  /** Whatever is named `cross_modal`: projections, blocks, managers, bridges, poolers, contrastive heads. */
  readonly crossModal: number;
  /** Names of the model's parameters: a group without any is left out. */
  readonly names: readonly string[];
  /**
   * What decays. `published`: the released code looks for parts of names, and so lets the norms of CLIP, of the managers
   * and of the heads decay, temperatures and learned weights too; its models were trained with that. `corrected`: no bias,
   * norm, temperature or learned weight of a level decays. Default: `published`.
   */
  readonly decay?: 'published' | 'corrected';
}

const heads = ['vqa_classifier', 'nlvr2_classifier', 'snli_classifier', 'mlm_score', 'itm_score'];

const noDecay = {
  published: [
    '*bias*',
    '*LayerNorm.weight',
    '*cross_modal_text_layernorm.weight',
    '*cross_modal_image_layernorm.weight',
  ],
  corrected: [
    '*bias*',
    '*LayerNorm*',
    '*layernorm*',
    '*layer_norm*',
    '*layrnorm*',
    '*ln_separate*',
    '*_classifier.1.weight',
    '*temperature*',
    '*layer_scores*',
  ],
} as const;

/**
 * The parameter groups of ManagerTower's optimiser: its token and layer embeddings, the ranking head and the towers have
 * the base rate. Source: ManagerTower `src/modules/meter_utils.py`, `set_schedule`.
 */
export function twoTowerParameterRules({
  head,
  crossModal,
  names,
  decay = 'published',
}: TwoTowerParameterOptions): TwoTowerParameterRules {
  const has = (part: string) => names.some((name) => name.includes(part));
  const ofHeads = heads.filter(has);
  return {
    groups: [
      ...(ofHeads.length > 0 ? [{ parameters: ofHeads.map((name) => `*${name}*`), learningRateMultiplier: head }] : []),
      ...(has('cross_modal') ? [{ parameters: ['*cross_modal*'], learningRateMultiplier: crossModal }] : []),
    ],
    noDecay: noDecay[decay],
  };
}

/** How the official scripts optimise: AdamW with β (0.9, 0.98) and ε 1e-8, without clipping, linear decay to zero. */
export const twoTowerOptimization = {
  'pre-training': { learningRate: 1e-5, head: 5, crossModal: 5, warmup: 0.1, weightDecay: 0.01 },
  /** The paper prints a batch of 576 and a warm-up of 0.06; the script has 504 and 0.1. */
  vqav2: { learningRate: 9e-6, head: 50, crossModal: 5, warmup: 0.1, weightDecay: 0.06 },
  /** Without pre-training. */
  'vqav2-alone': { learningRate: 2e-5, head: 50, crossModal: 5, warmup: 0.1, weightDecay: 0.01 },
  'snli-ve': { learningRate: 3e-6, head: 10, crossModal: 5, warmup: 0.06, weightDecay: 0.01 },
  nlvr2: { learningRate: 1.4e-5, head: 10, crossModal: 5, warmup: 0.1, weightDecay: 0.01 },
  flickr30k: { learningRate: 6e-6, head: 5, crossModal: 5, warmup: 0.1, weightDecay: 0.01 },
} as const;
