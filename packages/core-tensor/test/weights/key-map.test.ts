import { describe, expect, it } from 'vitest';
import { evenRows } from '../../src/index.js';
import { compileKeyMap } from '../../src/weights/key-map.js';

const layout = evenRows(3);
const packed = ['q', 'k', 'v'].map((name) => `layers.*.attention.${name}.weight`);
const map = compileKeyMap({
  rules: [
    { key: 'blocks.*.in_proj_weight', parameter: packed, layout },
    { key: 'stages.*.blocks.*.gamma', parameter: 'stages.*.layers.*.scale' },
    { key: 'tok.weight', parameter: 'embed.weight' },
    { key: 'old.tok.weight', parameter: 'embed.weight' },
  ],
  ignore: [/^text\./, /logit_scale$/],
  prefixes: ['model.', 'model.vision.'],
  optional: [/^pooler\./],
});

describe('a key map', () => {
  it('names parameters of stored tensors, number by number', () => {
    expect(map.rolesOf('blocks.12.in_proj_weight')).toEqual([
      { parameters: ['q', 'k', 'v'].map((name) => `layers.12.attention.${name}.weight`), layout },
    ]);
    expect(map.rolesOf('stages.1.blocks.20.gamma')[0]!.parameters).toEqual(['stages.1.layers.20.scale']);
    expect(map.rolesOf('blocks.x.in_proj_weight')[0]!.parameters).toEqual(['blocks.x.in_proj_weight']);
    expect(map.rolesOf('blocks.1.in_proj_weight.more')[0]!.parameters).toEqual(['blocks.1.in_proj_weight.more']);
    expect(map.rolesOf('norm.weight')).toEqual([{ parameters: ['norm.weight'], layout: undefined }]);
  });

  it('takes the longest prefix off', () => {
    expect(map.rolesOf('model.vision.tok.weight')[0]!.parameters).toEqual(['embed.weight']);
    expect(map.rolesOf('model.norm.bias')[0]!.parameters).toEqual(['norm.bias']);
  });

  it('offers the new names of gamma and beta after the names themselves', () => {
    expect(map.rolesOf('LayerNorm.gamma').map(({ parameters }) => parameters[0])).toEqual([
      'LayerNorm.gamma',
      'LayerNorm.weight',
    ]);
    expect(map.rolesOf('model.LayerNorm.beta').map(({ parameters }) => parameters[0])).toEqual([
      'LayerNorm.beta',
      'LayerNorm.bias',
    ]);
    expect(map.rolesOf('alphabeta')).toHaveLength(1);
  });

  it('ignores with and without the prefix, and buffers of old checkpoints', () => {
    expect(map.isIgnored('text.weight')).toBe(true);
    expect(map.isIgnored('model.text.weight')).toBe(true);
    expect(map.isIgnored('context.weight')).toBe(false);
    expect(map.isIgnored('layers.3.self_attn.rotary_emb.inv_freq')).toBe(true);
    expect(map.isIgnored('embeddings.position_ids')).toBe(true);
    expect(map.isIgnored('position_ids')).toBe(true);
    expect(map.isIgnored('embeddings.position_ids.weight')).toBe(false);
    expect(map.isOptional('pooler.dense.weight')).toBe(true);
  });

  it('says what a parameter is stored as, by its first rule', () => {
    expect(map.storedAs('layers.4.attention.k.weight')).toEqual({
      key: 'blocks.4.in_proj_weight',
      parameters: ['q', 'k', 'v'].map((name) => `layers.4.attention.${name}.weight`),
      layout,
    });
    expect(map.storedAs('embed.weight').key).toBe('tok.weight');
    expect(map.storedAs('stages.1.layers.20.scale').key).toBe('stages.1.blocks.20.gamma');
    expect(map.storedAs('norm.weight').key).toBe('norm.weight');
  });

  it('is refused where stars do not correspond or a layout is missing', () => {
    expect(() => compileKeyMap({ rules: [{ key: 'a.*.b', parameter: 'a.b' }] })).toThrow('1 stars in a.b, as in a.*.b');
    expect(() => compileKeyMap({ rules: [{ key: 'qkv', parameter: ['q', 'k'] }] })).toThrow(
      'a layout for qkv, which holds 2 parameters',
    );
  });
});
