import {
  compareModule,
  compareWithFixture,
  fixtureTensors,
  type ParityChecks,
  parseConfig,
  toTensor,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { ClipVisionTower } from './clip/clip-vision-tower.js';
import { clipVisionConfigFromHuggingFace } from './clip/hugging-face-config.js';
import { interpolateClipPositions } from './clip/interpolate-resolution.js';

const towerOptions = z.object({ interpolate_pos_encoding: z.boolean().default(false) });

const positionOptions = z.object({
  scale: z.number(),
  mode: z.literal('bicubic'),
  align_corners: z.literal(false),
});

/** Comparisons with published implementations, by kind of fixture. */
export const parityChecks: ParityChecks = {
  'backbones/clip_vision': (fixture) => {
    const { interpolate_pos_encoding } = parseConfig('clip_vision fixture', towerOptions, fixture.config);
    const tower = new ClipVisionTower(clipVisionConfigFromHuggingFace(fixture.config));
    return compareModule(fixture, tower, (module, inputs) => {
      const output = module.forward(inputs.pixel_values!, { interpolatePositions: interpolate_pos_encoding });
      return {
        ...Object.fromEntries(output.hiddenStates.map((state, index) => [`hidden_states.${index}`, state])),
        last_hidden_state: output.lastHiddenState,
        pooler_output: output.poolerOutput,
      };
    });
  },

  'honeybee/clip_posemb': (fixture) => {
    const { scale } = parseConfig('clip_posemb fixture', positionOptions, fixture.config);
    const positions = toTensor(fixtureTensors(fixture, 'in').pos_emb!);
    return compareWithFixture(fixture, {
      outputs: { pos_emb: interpolateClipPositions(positions, scale) },
      inputs: { pos_emb: positions },
    });
  },
};
