import { compareModule, type ParityChecks, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { siglipVisionConfigFromHuggingFace } from '../siglip/hugging-face-config.js';
import { SiglipVisionTower } from '../siglip/siglip-vision-tower.js';

const towerOptions = z.object({ interpolate_pos_encoding: z.boolean().default(false) });

/** The tower of SigLIP. */
export const siglipChecks: ParityChecks = {
  'backbones/siglip_vision': (fixture) => {
    const { interpolate_pos_encoding } = parseConfig('siglip_vision fixture', towerOptions, fixture.config);
    const tower = new SiglipVisionTower(siglipVisionConfigFromHuggingFace(fixture.config));
    return compareModule(fixture, tower, (module, inputs) => {
      const { hiddenStates, lastHiddenState, poolerOutput } = module.forward(inputs.pixel_values!, {
        interpolatePositions: interpolate_pos_encoding,
      });
      return {
        ...Object.fromEntries(hiddenStates.map((state, index) => [`hidden_states.${index}`, state])),
        last_hidden_state: lastHiddenState,
        ...(poolerOutput ? { pooler_output: poolerOutput } : {}),
      };
    });
  },
};
