import {
  compareModule,
  type Fixture,
  type ParityChecks,
  type ParityResult,
  parseConfig,
  withKeyMap,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { llavaProjectorKeyMap } from '../mlp/key-map.js';
import { llavaProjectorConfig } from '../mlp/llava-names.js';
import { createProjector } from '../registry.js';

/** Both systems' ways to write a configuration. */
const schema = z
  .object({
    type: z.string().optional(),
    mm_projector_type: z.string().optional(),
    mm_hidden_size: z.number(),
    hidden_size: z.number(),
    act: z.literal('gelu_exact').optional(),
  })
  .transform(({ type, mm_projector_type, mm_hidden_size, hidden_size }) => ({
    name: mm_projector_type ?? type ?? 'linear',
    widths: { visionWidth: mm_hidden_size, languageWidth: hidden_size },
  }));

/** Compares a projector under the names of LLaVA; its tokens have the given name among the outputs. */
function compareProjector(fixture: Fixture, output: string): Promise<ParityResult> {
  const { name, widths } = parseConfig('projector fixture', schema, fixture.config);
  const projector = createProjector(llavaProjectorConfig(name, widths));
  const keyMap = llavaProjectorKeyMap(projector.config, { prefix: '' });
  return compareModule(withKeyMap(fixture, projector, keyMap), projector, (module, { features }) => ({
    [output]: module.forward(features!),
  }));
}

/** The projector of LLaVA's descendants. */
export const llavaChecks: ParityChecks = {
  'convllava/projector': (fixture) => compareProjector(fixture, 'tokens'),
  'eagle/projector': (fixture) => compareProjector(fixture, 'out'),
};
