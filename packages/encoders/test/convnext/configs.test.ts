import { ConfigError } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import {
  convNextConfigFromHuggingFace,
  convNextConfigFromOpenClip,
  convNextConfigFromTimm,
  convNextConfigs,
  convNextConfigToHuggingFace,
  convNextConfigToTimm,
  createEncoder,
  parseConvNextConfig,
} from '../../src/index.js';

describe('convNextConfigFromHuggingFace', () => {
  it('reads the file of ConvLLaVA’s tower, whose layer_norm_eps is not that of its norms', () => {
    const file = {
      _name_or_path: '',
      architectures: ['ConvNextModel'],
      depths: [3, 3, 27, 3, 6],
      drop_path_rate: 0.0,
      hidden_act: 'gelu',
      hidden_sizes: [192, 384, 768, 1536, 3072],
      image_size: 1536,
      initializer_range: 0.02,
      layer_norm_eps: 1e-12,
      layer_scale_init_value: 1e-6,
      model_type: 'convnext',
      num_channels: 3,
      num_stages: 5,
      out_features: ['stage5'],
      out_indices: [5],
      patch_size: 4,
      stage_names: ['stem', 'stage1', 'stage2', 'stage3', 'stage4', 'stage5'],
      torch_dtype: 'bfloat16',
    };
    const config = convNextConfigFromHuggingFace(file);
    expect(config).toEqual(convNextConfigs['convllava-convnext-1536']);
    expect(config.layerNormEps).toBe(1e-6);
    expect(convNextConfigFromHuggingFace(convNextConfigToHuggingFace(config))).toEqual(config);
  });

  it('has the defaults of Hugging Face, and no layer scale where it starts below 0', () => {
    expect(convNextConfigFromHuggingFace({ model_type: 'convnext' })).toEqual(convNextConfigs['convnext-tiny']);
    expect(convNextConfigFromHuggingFace({ layer_scale_init_value: -1 }).layerScaleInit).toBe(0);
    expect(() => convNextConfigFromHuggingFace({ hidden_act: 'snake' })).toThrow('hiddenAct');
  });
});

describe('convNextConfigFromTimm', () => {
  it('knows the architectures, with or without a tag', () => {
    expect(convNextConfigFromTimm({ architecture: 'convnext_xxlarge.clip_laion2b_soup_ft_in1k' })).toEqual({
      ...convNextConfigs['eagle-convnext-xxlarge-1024'],
      imageSize: 224,
    });
    const file = {
      architecture: 'convnext_large_mlp',
      num_classes: 768,
      num_features: 1536,
      pretrained_cfg: { input_size: [3, 320, 320], tag: 'clip_laion2b_ft_soup_320' },
    };
    expect(convNextConfigFromTimm(file)).toEqual({ ...convNextConfigs['clip-convnext-large-d-320'], dropPathRate: 0 });
  });

  it('survives being written, whatever differs from the architecture', () => {
    for (const config of [
      ...Object.values(convNextConfigs),
      parseConvNextConfig({ layerScaleInit: 0, layerNormEps: 1e-5, kernelSize: 5, patchSize: 2, numChannels: 1 }),
      parseConvNextConfig({ hiddenAct: 'gelu_pytorch_tanh', dropPathRate: 0.4, depths: [1], hiddenSizes: [8] }),
    ]) {
      expect(convNextConfigFromTimm(convNextConfigToTimm(config))).toEqual(config);
    }
    expect(convNextConfigToTimm(convNextConfigs['convnext-base'])).toMatchObject({
      architecture: 'convnext_base',
      model_args: {},
    });
  });

  it('refuses other networks', () => {
    expect(() => convNextConfigFromTimm({ architecture: 'convnextv2_base' })).toThrow('convnext_xxlarge');
    expect(() => convNextConfigFromTimm({ architecture: 'convnext_atto_ols' })).toThrow(ConfigError);
    const withArguments = (model_args: object) => () =>
      convNextConfigFromTimm({ architecture: 'convnext_base', model_args });
    expect(withArguments({ use_grn: true })).toThrow('model_args.use_grn');
    expect(withArguments({ stem_type: 'overlap' })).toThrow('model_args.stem_type');
    expect(withArguments({ act_layer: 'snake' })).toThrow('model_args.act_layer');
    expect(withArguments({ stem_width: 3 })).toThrow('"model_args.stem_width"');
  });
});

describe('convNextConfigFromOpenClip', () => {
  it('reads the files of the published towers', () => {
    const file = (timm_model_name: string, image_size: number) => ({
      model_cfg: { embed_dim: 1024, vision_cfg: { timm_model_name, timm_drop_path: 0.1, image_size, timm_pool: '' } },
    });
    expect(convNextConfigFromOpenClip(file('convnext_large', 320))).toEqual(
      convNextConfigs['clip-convnext-large-d-320'],
    );
    expect(convNextConfigFromOpenClip(file('convnext_xxlarge', 256))).toEqual(convNextConfigs['clip-convnext-xxlarge']);
    expect(() => convNextConfigFromOpenClip(file('vit_base', 224))).toThrow('"vit_base"');
    expect(() => convNextConfigFromOpenClip({ model_cfg: { vision_cfg: { layers: 12 } } })).toThrow('timm_model_name');
  });
});

it('is created by its type', () => {
  const { config } = createEncoder({ type: 'convnext', depths: [1], hiddenSizes: [8] });
  expect(config).toEqual(parseConvNextConfig({ depths: [1], hiddenSizes: [8] }));
});
