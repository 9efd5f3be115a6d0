import { compareExactly, compareModule, type ParityChecks, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { AdaptiveResidualManager } from '../language/adaptive-residual-manager.js';
import { residualManagersConfigFromOfficial, residualManagerTypeOf } from '../language/official-config.js';
import type { ResidualManagerConfig } from '../language/residual-manager.js';
import { ResidualManagers } from '../language/residual-managers.js';
import { StaticResidualManager } from '../language/static-residual-manager.js';

const managerOptions = z.object({
  mm_manager_type: z.string(),
  layer_index: z.int(),
  num_manage_select_layer: z.int(),
  hidden_size: z.int(),
});

const triple = z.tuple([z.int(), z.int(), z.int()]);

const buildOptions = z.object({
  hidden_size: z.int(),
  rows: z.array(z.looseObject({ input: z.object({ layers: z.int(), vs: triple, inj: triple, type: z.string() }) })),
});

/** What the official builder makes of its flags. */
function build(hiddenSize: number, { layers, vs, inj, type }: z.output<typeof buildOptions>['rows'][number]['input']) {
  const managers = new ResidualManagers(
    residualManagersConfigFromOfficial({
      hidden_size: hiddenSize,
      num_hidden_layers: layers,
      mm_manager_type: type,
      mm_manager_vision_select_layers_start: vs[0],
      mm_manager_vision_select_layers_interval: vs[1],
      mm_manager_vision_select_layers_end: vs[2],
      mm_manager_injection_start: inj[0],
      mm_manager_injection_interval: inj[1],
      mm_manager_injection_end: inj[2],
    }),
  );
  return {
    select_layer_index_list: [...managers.states],
    manager_index_list: [...managers.layers],
    managers: managers.manager.map((manager, index) => ({
      type: manager instanceof StaticResidualManager ? 'StaticManagerZeroInit' : 'AdaptiveManagerZeroInit',
      layer_index: managers.layers[index],
      managed: (manager as StaticResidualManager | AdaptiveResidualManager).config.levels,
      parameters: Object.fromEntries(
        Object.entries(manager.namedParameters()).map(([name, { shape }]) => [name, [...shape]]),
      ),
    })),
  };
}

/** Managers in a language model. */
export const residualChecks: ParityChecks = {
  'manager/ov_manager': (fixture) => {
    const file = parseConfig('ov_manager fixture', managerOptions, fixture.config);
    const isFirst = file.layer_index === 0;
    const config: ResidualManagerConfig = {
      type: residualManagerTypeOf(file.mm_manager_type)!,
      hiddenSize: file.hidden_size,
      levels: isFirst ? file.num_manage_select_layer - 1 : file.num_manage_select_layer,
      jitter: 'weights',
      initializerRange: 0.02,
    };
    const manager =
      config.type === 'static' || isFirst ? new StaticResidualManager(config) : new AdaptiveResidualManager(config);
    return compareModule(fixture, manager, (module, { hidden_states, cross, extra_query, uniform }) => ({
      out: module.forward({ levels: hidden_states!, states: cross, question: extra_query }, { uniform }),
    }));
  },

  'manager/ov_build': async (fixture) => {
    const { hidden_size, rows } = parseConfig('ov_build fixture', buildOptions, fixture.config);
    return compareExactly(
      rows.map(({ input }) => ({ input, ...build(hidden_size, input) })),
      rows,
    );
  },
};
