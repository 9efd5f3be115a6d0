import {
  compareModule,
  compareWithFixture,
  type Fixture,
  fixtureTensors,
  type ParityCheck,
  type ParityChecks,
  parseConfig,
  reshape,
  type Tensor,
  tensor,
  toTensor,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { ClipVisionTower } from '../clip/clip-vision-tower.js';
import { halfPrecisionPositions } from '../clip/half-positions.js';
import { HighResolutionClipTower } from '../clip/high-resolution-tower.js';
import { clipVisionConfigFromHuggingFace } from '../clip/hugging-face-config.js';
import { interpolateClipPositions, resizeClipPositions } from '../clip/interpolate-resolution.js';

const towerOptions = z.object({ interpolate_pos_encoding: z.boolean().default(false) });
const bicubic = { mode: z.literal('bicubic'), align_corners: z.literal(false) };
const honeybeeOptions = z.object({ scale: z.number(), ...bicubic });
const eagleOptions = z.object({ old: z.int(), new: z.int(), prefix: z.literal(1) });
const managerOptions = z.object({ grid_after: z.int(), antialias: z.boolean(), ...bicubic });
const moaiOptions = z.object({ new_size: z.int(), ...bicubic });

/** A check of how a position table is resized; the fixture's input and output have the same name, or these two. */
function positionCheck(
  names: { readonly input: string; readonly output: string },
  resize: (positions: Tensor, fixture: Fixture) => Tensor,
): ParityCheck {
  return (fixture) => {
    const positions = toTensor(fixtureTensors(fixture, 'in')[names.input]!);
    const table = reshape(positions, positions.shape.slice(-2));
    const resized = resize(table, fixture);
    const leading = positions.shape.slice(0, -2);
    return compareWithFixture(fixture, {
      outputs: { [names.output]: reshape(resized, [...leading, ...resized.shape]) },
      inputs: { [names.input]: positions },
    });
  };
}

/** The towers of CLIP, and how the systems resize their positions. */
export const clipChecks: ParityChecks = {
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

  'eagle/clip_hr': (fixture) => {
    const tower = new HighResolutionClipTower({ vision: clipVisionConfigFromHuggingFace(fixture.config) });
    return compareModule(fixture, tower, (module, inputs) => ({ tokens: module.features(inputs.pixels!) }));
  },

  'eagle/clip_pos_resample': positionCheck({ input: 'posemb', output: 'out' }, (positions, { config }) =>
    resizeClipPositions(positions, parseConfig('clip_pos_resample fixture', eagleOptions, config).new, {
      antialias: true,
    }),
  ),

  'honeybee/clip_posemb': positionCheck({ input: 'pos_emb', output: 'pos_emb' }, (positions, { config }) =>
    interpolateClipPositions(positions, parseConfig('clip_posemb fixture', honeybeeOptions, config).scale),
  ),

  'manager/clip_position_interp': positionCheck(
    { input: 'positional_embedding', output: 'positional_embedding' },
    (positions, { config }) => {
      const { grid_after, antialias } = parseConfig('clip_position_interp fixture', managerOptions, config);
      return resizeClipPositions(positions, grid_after, { antialias });
    },
  ),

  'moai/clip_positions': (fixture) => {
    const { new_size } = parseConfig('clip_positions fixture', moaiOptions, fixture.config);
    const { shape, data } = fixtureTensors(fixture, 'in').position_embedding!;
    const resized = halfPrecisionPositions({ shape, data: data as Float32Array }, new_size);
    return compareWithFixture(fixture, { outputs: { position_embedding: tensor(resized.data, resized.shape) } });
  },
};
