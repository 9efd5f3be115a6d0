import { compareModule, fixtureTensors, Module, type ParityChecks, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { DeformableAttention } from '../deformable-attention/deformable-attention.js';
import { LlavaHrFusion } from '../fusion/llava-hr/llava-hr-fusion.js';
import { MixtureOfResolutionAdapter } from '../fusion/llava-hr/mixture-of-resolution-adapter.js';
import { MiniGeminiFusion } from '../fusion/mini-gemini/mini-gemini-fusion.js';
import { SequenceAppend } from '../fusion/sequence-append/sequence-append.js';
import { llavaProjectorConfig } from '../mlp/llava-names.js';
import type { Mlp } from '../mlp/mlp.js';
import { MlpProjector } from '../mlp/mlp-projector.js';

const appendFields = z.object({ dims: z.array(z.number()), hidden: z.number() });

const pathFields = z.object({ fast_dim: z.number(), slow_dim: z.number() });

const miningFields = z.object({ query_dim: z.number(), aux_dim: z.number(), llm_hidden: z.number() });

const attentionFields = z.object({
  d_model: z.number(),
  n_heads: z.number(),
  n_points: z.number(),
  spatial_shapes: z.array(z.tuple([z.number(), z.number()])),
});

/** Mini-Gemini's fusion and the projector behind it, under the names of its model. */
class MiningModel extends Module {
  readonly model: Pick<
    MiniGeminiFusion,
    'vlm_uni_query_projector' | 'vlm_uni_aux_projector' | 'vlm_uni_val_projector'
  > & { readonly mm_projector: Mlp };

  constructor({ vlm_uni_query_projector, vlm_uni_aux_projector, vlm_uni_val_projector }: MiniGeminiFusion, net: Mlp) {
    super();
    this.model = { vlm_uni_query_projector, vlm_uni_aux_projector, vlm_uni_val_projector, mm_projector: net };
  }
}

/** The fusions that Eagle compares. */
export const eagleFusionChecks: ParityChecks = {
  'eagle/seq_append': (fixture) => {
    const { dims: widths, hidden: outputWidth } = parseConfig('seq_append fixture', appendFields, fixture.config);
    const fusion = new SequenceAppend({ widths, outputWidth, grid: null });
    // One input for each encoder, in alphabetical order.
    const names = Object.keys(fixtureTensors(fixture, 'in')).sort();
    return compareModule(fixture, fusion, (module, inputs) => ({
      out: module.fuse(names.map((name) => inputs[name]!)),
    }));
  },

  'eagle/llava_hr_adapter': (fixture) => {
    const { fast_dim, slow_dim } = parseConfig('llava_hr_adapter fixture', pathFields, fixture.config);
    return compareModule(fixture, new MixtureOfResolutionAdapter(fast_dim, slow_dim), (module, { fast, slow }) => ({
      fast: module.forward(fast!, slow!),
    }));
  },

  'eagle/llava_hr_align': (fixture) => {
    const { fast_dim, slow_dim } = parseConfig('llava_hr_align fixture', pathFields, fixture.config);
    return compareModule(fixture, new LlavaHrFusion({ widths: [fast_dim, slow_dim] }), (module, { fast, slow }) => ({
      out: module.fuse([fast!, slow!]),
    }));
  },

  'eagle/mini_gemini_mining': (fixture) => {
    const { query_dim, aux_dim, llm_hidden } = parseConfig('mining fixture', miningFields, fixture.config);
    const fusion = new MiniGeminiFusion({ widths: [query_dim, aux_dim] });
    const widths = { visionWidth: fusion.width, languageWidth: llm_hidden };
    const projector = new MlpProjector(llavaProjectorConfig('mlp2x_gelu', widths));
    return compareModule(fixture, new MiningModel(fusion, projector.net), (_, { low, high }) => ({
      mined: fusion.mine([low!, high!]),
      out: projector.forward(fusion.fuse([low!, high!])),
    }));
  },

  'eagle/deform_attn': (fixture) => {
    const config = parseConfig('deform_attn fixture', attentionFields, fixture.config);
    const { d_model: width, n_heads: heads, n_points: points, spatial_shapes: grids } = config;
    const attention = new DeformableAttention({ width, heads, points, levels: grids.length });
    return compareModule(fixture, attention, (module, { query, reference, value }) => ({
      out: module.forward(query!, reference!, value!, grids).output,
    }));
  },
};
