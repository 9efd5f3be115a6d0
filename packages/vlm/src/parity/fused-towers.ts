import {
  compareModule,
  type Fixture,
  type KeyMap,
  Module,
  type ParityChecks,
  parseConfig,
  sliceAxis,
  withKeyMap,
} from '@ocelli/core-tensor';
import {
  type ConvNextConfigInput,
  type ConvNextTower,
  clipVisionConfigFromHuggingFace,
  convNextKeyMap,
  createEncoder,
  type EncoderConfigInput,
  eva02VisionConfigFromOriginal,
  type HighResolutionClipTower,
  pix2structVisionConfigFromHuggingFace,
  samVisionConfigFromHuggingFace,
} from '@ocelli/encoders';
import { createProjector, featurePyramid, llavaProjectorConfig, llavaProjectorKeyMap } from '@ocelli/projectors';
import { z } from 'zod';
import { llavaHrKeyMap } from '../llava-hr/key-map.js';
import { LlavaHrTower } from '../llava-hr/llava-hr-tower.js';
import { EncoderMixture } from '../mixture/encoder-mixture.js';
import { eagleMixtureKeyMap } from '../mixture/key-map.js';

const convNextFields = z
  .object({ depths: z.array(z.number()), dims: z.array(z.number()), norm_eps: z.number(), kernel: z.number() })
  .transform(({ depths, dims, norm_eps, kernel }): ConvNextConfigInput & { readonly type: 'convnext' } => ({
    type: 'convnext',
    depths,
    hiddenSizes: dims,
    layerNormEps: norm_eps,
    kernelSize: kernel,
  }));

const mixtureFields = z.object({
  vision_tower: z.string(),
  grid_size: z.number(),
  input_image_size: z.number(),
  mm_hidden_size: z.number(),
  llm_hidden: z.number(),
  clip: z.looseObject({ input_size: z.number() }),
  convnext: convNextFields,
  sam: z.looseObject({ add_pixel_shuffle: z.boolean() }),
  eva: z.looseObject({}),
  pix2struct: z.looseObject({ patch: z.number(), max_patches: z.number() }),
});

const towerFields = z.object({ clip: z.looseObject({}), convnext: convNextFields, image: z.number() });

/** The fixture under the names of a module, without the tensors that its key map ignores. */
function named(fixture: Fixture, module: Module, keyMap: KeyMap): Fixture {
  const isIgnored = (name: string) => keyMap.ignore?.some((pattern) => pattern.test(name)) ?? false;
  const renamed = withKeyMap(fixture, module, keyMap);
  const withoutPrefix = (name: string) =>
    keyMap.prefixes?.reduce((key, prefix) => (key.startsWith(prefix) ? key.slice(prefix.length) : key), name) ?? name;
  const tensors = [...renamed.tensors].filter(([name]) => {
    const [, key] = /^(?:param|grad)\.(.*)$/.exec(name) ?? [];
    return key === undefined || key in module.namedParameters() || !isIgnored(withoutPrefix(key));
  });
  return { ...renamed, tensors: new Map(tensors) };
}

/** What a fixture's parameters belong to, in one module. */
class Parts extends Module {
  constructor(parts: Readonly<Record<string, unknown>>) {
    super();
    Object.assign(this, parts);
  }
}

/** Eagle's encoders by the names in `vision_tower`. */
function expertsOf(config: z.output<typeof mixtureFields>): { encoder: EncoderConfigInput }[] {
  const { clip, sam, pix2struct, input_image_size: imageSize } = config;
  const known: Readonly<Record<string, () => EncoderConfigInput>> = {
    clip: () => ({
      type: 'clip-high-resolution',
      vision: clipVisionConfigFromHuggingFace(clip),
      inputSize: clip.input_size,
    }),
    convnext: () => ({ ...config.convnext, imageSize }),
    sam: () => samVisionConfigFromHuggingFace(sam, { neck: 'short', pixelUnshuffle: sam.add_pixel_shuffle ? 2 : 1 }),
    det: () => eva02VisionConfigFromOriginal(config.eva),
    pix2struct: () => ({
      type: 'eagle-pix2struct',
      vision: {
        ...pix2structVisionConfigFromHuggingFace(pix2struct),
        patchSize: pix2struct.patch,
        maxPatches: pix2struct.max_patches,
      },
      imageSize,
    }),
  };
  return config.vision_tower.split(';').map((name) => ({ encoder: known[name.split('-')[0]!]!() }));
}

/** Fusions of several encoders, together with them. */
export const fusedTowerChecks: ParityChecks = {
  'eagle/concat': (fixture) => {
    const config = parseConfig('concat fixture', mixtureFields, fixture.config);
    const mixture = new EncoderMixture({
      encoders: expertsOf(config),
      fusion: { type: 'channel-concat', grid: config.grid_size },
      imageSize: config.input_image_size,
    });
    const widths = { visionWidth: config.mm_hidden_size, languageWidth: config.llm_hidden };
    const projector = createProjector(llavaProjectorConfig('mlp2x_gelu', widths));
    const projectorKeys = llavaProjectorKeyMap(projector.config, { prefix: 'mm_projector.' });
    const parts = new Parts({ vision_towers: mixture.vision_towers, net: projector.net });
    const own = named(withKeyMap(fixture, projector, projectorKeys), parts, eagleMixtureKeyMap);
    return compareModule(own, parts, (_, { pixels }) => {
      const features = mixture.features(pixels!);
      return { features, projected: projector.forward(features) };
    });
  },

  'eagle/llava_hr_tower': (fixture) => {
    const config = parseConfig('llava_hr_tower fixture', towerFields, fixture.config);
    const tower = new LlavaHrTower({
      fast: clipVisionConfigFromHuggingFace(config.clip),
      slow: convNextOf(config.convnext),
      imageSize: config.image,
    });
    const { fast_vision_tower, slow_vision_tower, align_stages_latent, align_stages } = tower;
    // The embeddings are given.
    const { pre_layrnorm, encoder, post_layernorm } = modelOf(fast_vision_tower);
    const parts = new Parts({
      fast_vision_tower: { vision_tower: { vision_model: { pre_layrnorm, encoder, post_layernorm } } },
      slow_vision_tower,
      align_stages_latent,
      align_stages,
    });
    return compareModule(named(fixture, parts, llavaHrKeyMap), parts, (_, { clip_embeddings, pixels }) => ({
      tokens: tower.combine(sliceAxis(clip_embeddings!, 1, 1), pixels!),
    }));
  },

  'eagle/mini_gemini_pyramid': (fixture) => {
    const tower = createEncoder(parseConfig('mini_gemini_pyramid fixture', convNextFields, fixture.config));
    const keyMap = convNextKeyMap('eagle', { prefix: 'vision_' });
    return compareModule(named(fixture, tower, keyMap), tower, (module: ConvNextTower, { pixels }) => {
      const [first, ...others] = module.forward(pixels!).stages;
      return { map: featurePyramid([first!, ...others]) };
    });
  },
};

function convNextOf({ type, ...config }: z.output<typeof convNextFields>): ConvNextConfigInput {
  return { type, ...config };
}

function modelOf(tower: HighResolutionClipTower) {
  return tower.vision_tower.vision_model;
}
