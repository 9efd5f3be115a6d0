import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { parseResidualManagersConfig, type ResidualManagersConfig, type ResidualManagerType } from './config.js';

const types: Readonly<Record<string, ResidualManagerType>> = {
  static_zerouni: 'static',
  adaptive_zerouni: 'adaptive',
  adaptive_last_zerouni: 'adaptive-last',
  adaptive_average_zerouni: 'adaptive-average',
  adaptive_cross_zerouni: 'adaptive-cross',
};

/** The manager type of an official `mm_manager_type`; undefined where there is none. */
export function residualManagerTypeOf(official: string): ResidualManagerType | undefined {
  return types[official];
}

/** The fields of a `config.json` about managers, and the sizes they depend on. */
const fileSchema = z.object({
  hidden_size: z.int(),
  num_hidden_layers: z.int(),
  mm_manager_type: z.string().refine((type) => type in types, {
    message: `expected one of ${Object.keys(types).join(', ')}`,
  }),
  mm_manager_grid_type: z.enum(['all', 'main', 'grid']).default('all'),
  mm_manager_vision_select_layers_start: z.int(),
  mm_manager_vision_select_layers_interval: z.int(),
  mm_manager_vision_select_layers_end: z.int(),
  mm_manager_injection_start: z.int(),
  mm_manager_injection_interval: z.int(),
  mm_manager_injection_end: z.int(),
  // Managers add to what is there; the released code refuses anything else.
  mm_manager_residual: z.literal(true).default(true),
});

/**
 * The managers that the `config.json` of a LLaVA-OV-Manager checkpoint describes (model type `llava_qwen_manager`).
 *
 * @param json the parsed file
 * @throws ConfigError if a field is missing or invalid
 */
export function residualManagersConfigFromOfficial(json: unknown): ResidualManagersConfig {
  const file = parseConfig('residualManagersConfigFromOfficial', fileSchema, json);
  return parseResidualManagersConfig({
    type: types[file.mm_manager_type]!,
    hiddenSize: file.hidden_size,
    languageLayers: file.num_hidden_layers,
    gridType: file.mm_manager_grid_type,
    select: {
      start: file.mm_manager_vision_select_layers_start,
      interval: file.mm_manager_vision_select_layers_interval,
      end: file.mm_manager_vision_select_layers_end,
    },
    inject: {
      start: file.mm_manager_injection_start,
      interval: file.mm_manager_injection_interval,
      end: file.mm_manager_injection_end,
    },
  });
}
