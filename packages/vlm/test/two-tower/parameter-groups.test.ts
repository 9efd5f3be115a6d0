import { readFile } from 'node:fs/promises';
import { matchesName, namePattern } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { TwoTowerModel, twoTowerParameterRules } from '../../src/index.js';

const fixture = new URL('../../../trainer/test/fixtures/manager/mt_optimizer_groups.json', import.meta.url);

const heads = {
  maskedLanguageModel: {},
  imageTextMatching: {},
  imageTextContrast: {},
  visualQuestionAnswering: {},
  visualEntailment: {},
  ranking: {},
};

/** How a rule treats a name. */
function treated(name: string, { groups, noDecay }: ReturnType<typeof twoTowerParameterRules>) {
  const matches = (patterns: readonly string[]) => patterns.some((each) => matchesName(name, namePattern(each)));
  return {
    rate: groups.find(({ parameters }) => matches(parameters))?.learningRateMultiplier ?? 1,
    decays: !matches(noDecay),
  };
}

/** Where the model has what the fixture names otherwise. */
const own: readonly (readonly [RegExp, string])[] = [
  [/^vit_model\.visual\.ln_pre\./, 'vision.vision_model.pre_layrnorm.'],
  [/^vit_model\.visual\.ln_post\./, 'vision.vision_model.post_layernorm.'],
  [
    /^vit_model\.visual\.transformer\.resblocks\.(\d+)\.ln_(\d)\./,
    'vision.vision_model.encoder.layers.$1.layer_norm$2.',
  ],
  [/^text_transformer\./, 'text.'],
  [/^(cross_modal_(text|image)_(layers|manager_tower|pooler)|token_type|layer_embeddings)/, 'fusion.$1'],
];

describe('twoTowerParameterRules', () => {
  const model = new TwoTowerModel({ heads });
  const names = Object.keys(model.namedParameters());

  it('treat parameters as the released code treats its own', async () => {
    const { parameters, ...published } = JSON.parse(await readFile(fixture, 'utf8'));
    const { lr_mult_head: head, lr_mult_cross_modal: crossModal } = published;
    const rules = twoTowerParameterRules({ head, crossModal, names });
    const compared = Object.entries(parameters as Record<string, { lr_multiplier: number; weight_decay: boolean }>)
      .map(([key, expected]) => {
        const name = own.reduce((text, [from, to]) => text.replace(from, to), key);
        return { name, expected: { rate: expected.lr_multiplier, decays: expected.weight_decay } };
      })
      .filter(({ name }) => names.includes(name));
    expect(compared.length).toBeGreaterThan(20);
    for (const { name, expected } of compared) expect(treated(name, rules), name).toEqual(expected);
  });

  it('let norms, temperatures and learned weights alone where corrected', () => {
    const rules = twoTowerParameterRules({ head: 1, crossModal: 1, names, decay: 'corrected' });
    const parameters = model.namedParameters();
    const decayed = names.filter((name) => treated(name, rules).decays);
    expect(decayed.filter((name) => parameters[name]!.shape.length < 2)).toEqual([
      'vision.vision_model.embeddings.class_embedding',
    ]);
    expect(decayed.some((name) => name.includes('layer_scores'))).toBe(false);
    expect(decayed).toContain('fusion.cross_modal_text_layers.0.attention.self.query.weight');
  });

  it('leave out groups that match nothing', () => {
    const plain = Object.keys(new TwoTowerModel({ heads: { ranking: {} } }).namedParameters());
    const { groups } = twoTowerParameterRules({ head: 50, crossModal: 5, names: plain });
    expect(groups.map(({ learningRateMultiplier }) => learningRateMultiplier)).toEqual([5]);
  });
});
