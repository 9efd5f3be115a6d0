import {
  compareModule,
  compareWithFixture,
  concat,
  type Fixture,
  fixtureTensors,
  type ParityChecks,
  type ParityResult,
  parseConfig,
  toTensor,
  worstOf,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { Eva02VisionEncoder } from '../eva02/eva02-vision-encoder.js';
import { eva02VisionConfigFromOriginal } from '../eva02/original-config.js';
import { type RotaryGrid, rotaryGrid, rotatePairs } from '../eva02/rotary.js';
import { EaglePix2StructTower } from '../pix2struct/eagle-pix2struct-tower.js';
import { pix2structVisionConfigFromHuggingFace } from '../pix2struct/hugging-face-config.js';
import { Pix2StructVisionEncoder } from '../pix2struct/pix2struct-vision-encoder.js';
import { samVisionConfigFromHuggingFace } from '../sam/hugging-face-config.js';
import { SamVisionEncoder } from '../sam/sam-vision-encoder.js';

/** A fixture whose parameters are those below a prefix, without it. */
function belowPrefix(fixture: Fixture, prefix: string, isBuffer = (_: string) => false): Fixture {
  const tensors = [...fixture.tensors].flatMap(([name, value]) => {
    const [role, path] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
    if (role !== 'param' && role !== 'grad') return [[name, value] as const];
    if (!path.startsWith(prefix) || isBuffer(path)) return [];
    return [[`${role}.${path.slice(prefix.length)}`, value] as const];
  });
  return { ...fixture, tensors: new Map(tensors) };
}

/** Tables of rotary positions against those that a fixture stores as parameters. */
function compareTables(fixture: Fixture, prefix: string, { cos, sin }: RotaryGrid): Promise<ParityResult> {
  const stored = ['freqs_cos', 'freqs_sin'].map(
    (name) => [`out.${name}`, fixture.tensors.get(`param.${prefix}${name}`)!] as const,
  );
  return compareWithFixture({ ...fixture, tensors: new Map(stored) }, { outputs: { freqs_cos: cos, freqs_sin: sin } });
}

const ropeOptions = z.object({
  half_head_dim: z.number(),
  pt_seq_len: z.number(),
  ft_seq_len: z.number(),
  theta: z.number(),
});

const samOptions = z.object({ add_pixel_shuffle: z.boolean() });
const towerOptions = z.object({ patch: z.number(), max_patches: z.number() });

/** The vision experts of Eagle that only it uses. */
export const eagleExpertChecks: ParityChecks = {
  'eagle/eva02': async (fixture) => {
    const encoder = new Eva02VisionEncoder(eva02VisionConfigFromOriginal(fixture.config));
    const { windowSize } = encoder.config;
    return worstOf([
      await compareTables(fixture, 'vision_tower.rope_win.', encoder.rotary([windowSize, windowSize])),
      await compareTables(fixture, 'vision_tower.rope_glb.', encoder.rotary(encoder.featureGrid())),
      await compareModule(
        belowPrefix(fixture, 'vision_tower.', (path) => path.includes('.freqs_')),
        encoder,
        (module, inputs) => ({ map: module.forward(inputs.pixels!).featureMap }),
      ),
    ]);
  },

  'eagle/eva02_rope': async (fixture) => {
    const options = parseConfig('eva02_rope fixture', ropeOptions, fixture.config);
    const { half_head_dim: half, pt_seq_len: sequenceLength, ft_seq_len: side, theta } = options;
    const tables = rotaryGrid(2 * half, [side, side], { sequenceLength, theta });
    const q = toTensor(fixtureTensors(fixture, 'in').q!);
    return worstOf([
      await compareTables(fixture, '', tables),
      await compareWithFixture(fixture, { outputs: { q: rotatePairs(q, tables) }, inputs: { q } }),
    ]);
  },

  'eagle/sam': (fixture) => {
    const { add_pixel_shuffle: unshuffles } = parseConfig('sam fixture', samOptions, fixture.config);
    const config = samVisionConfigFromHuggingFace(fixture.config, {
      neck: 'short',
      pixelUnshuffle: unshuffles ? 2 : 1,
    });
    return compareModule(belowPrefix(fixture, 'vision_tower.'), new SamVisionEncoder(config), (module, inputs) => ({
      map: module.forward(inputs.pixels!).featureMap,
      tokens: module.features(inputs.pixels!),
    }));
  },

  'eagle/pix2struct_encoder': (fixture) => {
    const encoder = new Pix2StructVisionEncoder(pix2structVisionConfigFromHuggingFace(fixture.config));
    return compareModule(fixture, encoder, (module, { ids, patches, mask }) => ({
      hidden: module.forward(concat([ids!, patches!], -1), { attentionMask: mask }).lastHiddenState,
    }));
  },

  'eagle/pix2struct_tower': (fixture) => {
    const { patch: patchSize, max_patches: maxPatches } = parseConfig(
      'pix2struct_tower fixture',
      towerOptions,
      fixture.config,
    );
    const vision = { ...pix2structVisionConfigFromHuggingFace(fixture.config), patchSize, maxPatches };
    return compareModule(fixture, new EaglePix2StructTower({ vision }), (module, inputs) => ({
      map: module.featureMap(inputs.pixels!),
    }));
  },
};
