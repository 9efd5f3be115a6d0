import {
  compareExactly,
  describeMismatches,
  matchWeights,
  type ParityChecks,
  type ParityResult,
  parseConfig,
  type Shape,
  worstOf,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { clipVisionMacs } from '../clip/compute.js';
import { clipVisionConfigs } from '../clip/config.js';
import { addConvNextStage } from '../convnext/add-stage.js';
import { convNextMacs } from '../convnext/compute.js';
import { type ConvNextConfig, convNextConfigs } from '../convnext/config.js';
import { ConvNextTower } from '../convnext/convnext-tower.js';
import { convNextStagesFrom } from '../convnext/trained-stages.js';
import { keyMapIn, listingOf } from './convnext.js';

const sizes = z.array(z.number());

const structure = z.object({ depths: sizes, dims: sizes });

const keyMapSchema = z.object({
  config: structure,
  columns: z.tuple([z.literal('hf'), z.literal('timm'), z.literal('facebook'), z.literal('shape')]),
  open_clip: z.literal('visual.trunk. + timm'),
  tensors: z.array(z.tuple([z.string(), z.string(), z.string(), sizes])),
});

const trainableSchema = z.object({
  config: structure,
  cases: z.array(
    z.object({
      setting: z.strictObject({
        name: z.string(),
        /** Whether the tower with all stages was read from disk; else its last stage is added. */
        reload: z.boolean().default(false),
        stage_index: z.number().optional(),
        layer_index: z.number().default(0),
      }),
      trainable: z.array(z.string()),
      frozen: z.array(z.string()),
    }),
  ),
});

const tokenCountsSchema = z.object({
  cases: z.array(z.looseObject({ pixel_height: z.number(), pixel_width: z.number() })),
});

const computeSchema = z.object({
  parameters: z.record(z.string(), z.number()),
  rows: z.array(
    z.object({
      encoder: z.enum(['ViT-L/14', 'ConvNeXt-L', 'ConvNeXt-L-5stage']),
      size: z.number(),
      tokens: z.number(),
      encoder_gmacs: z.number(),
      stage_gmacs: sizes.optional(),
    }),
  ),
});

const fourStages = convNextConfigs['clip-convnext-large-d-320'];
const fiveStages = convNextConfigs['convllava-convnext-1536'];

/** A tower of which only shapes are needed. */
function towerOf({ depths, dims }: z.output<typeof structure>): ConvNextTower {
  return new ConvNextTower({ depths, hiddenSizes: dims });
}

/** Each name of a layout leads to the parameter it should, of the same shape. */
function compareLayout(tower: ConvNextTower, rows: readonly (readonly [string, string, Shape])[]): ParityResult {
  const listing = listingOf(
    Object.fromEntries(rows.map(([key, , shape]) => [key, { shape, dtype: 'float32' as const }])),
  );
  const match = matchWeights(tower, listing, keyMapIn(listing));
  const assigned = Object.fromEntries(match.assignments.map(({ key, parameters }) => [key, parameters[0]]));
  const expected = Object.fromEntries(rows.map(([key, parameter]) => [key, parameter]));
  return worstOf([
    compareExactly(assigned, expected),
    { forward: 0, gradient: 0, mismatches: describeMismatches(match) },
  ]);
}

/** Names of the parameters that train, and of the others, under a setting of the training script. */
function trainedNames(
  { depths, dims }: z.output<typeof structure>,
  { reload, stage_index: stage, layer_index: block }: z.output<typeof trainableSchema>['cases'][number]['setting'],
): { readonly trainable: string[]; readonly frozen: string[] } {
  const loaded = reload ? towerOf({ depths, dims }) : towerOf({ depths: depths.slice(0, -1), dims: dims.slice(0, -1) });
  loaded.freeze();
  const tower = reload ? loaded : addConvNextStage(loaded, { depth: depths.at(-1)!, width: dims.at(-1)! });
  if (stage !== undefined) {
    // A stage before the first trains all of them, whatever the block.
    const from = stage < 0 ? { stage: 0 } : { stage, block };
    tower.unfreeze(...convNextStagesFrom(tower.config, from));
  }
  const names = Object.entries(tower.namedParameters());
  const those = (trains: boolean) => names.flatMap(([name, { requiresGrad }]) => (requiresGrad === trains ? name : []));
  return { trainable: those(true).sort(), frozen: those(false).sort() };
}

function macsOf(encoder: string, size: number): { readonly total: number; readonly stages?: readonly number[] } {
  if (encoder === 'ViT-L/14') return { total: clipVisionMacs(clipVisionConfigs['clip-vit-large-patch14'], size) };
  return convNextMacs(encoder === 'ConvNeXt-L' ? fourStages : fiveStages, size);
}

function tokensOf(encoder: string, size: number): number {
  if (encoder === 'ViT-L/14') return Math.floor(size / clipVisionConfigs['clip-vit-large-patch14'].patchSize) ** 2;
  const [rows, columns] = new ConvNextTower(encoder === 'ConvNeXt-L' ? fourStages : fiveStages).featureGrid(size);
  return rows * columns;
}

/** What ConvLLaVA's paper and scripts say of its encoder beside numbers of tensors. */
export const convLlavaChecks: ParityChecks = {
  'convllava/keymap_large_5stage': async (fixture) => {
    const { config, tensors } = parseConfig('key map fixture', keyMapSchema, fixture.config);
    const tower = towerOf(config);
    const layouts = [
      tensors.map(([hf, , , shape]) => [hf, hf, shape] as const),
      tensors.map(([hf, timm, , shape]) => [timm, hf, shape] as const),
      tensors.map(([hf, timm, , shape]) => [`visual.trunk.${timm}`, hf, shape] as const),
      tensors.map(([hf, , facebook, shape]) => [facebook, hf, shape] as const),
    ];
    return worstOf(layouts.map((rows) => compareLayout(tower, rows)));
  },

  'convllava/trainable': async (fixture) => {
    const { config, cases } = parseConfig('trainable fixture', trainableSchema, fixture.config);
    return worstOf(
      cases.map(({ setting, trainable, frozen }) =>
        compareExactly(
          trainedNames(config, setting),
          { trainable: [...trainable].sort(), frozen: [...frozen].sort() },
          setting.name,
        ),
      ),
    );
  },

  'convllava/token_counts': async (fixture) => {
    const { cases } = parseConfig('token counts fixture', tokenCountsSchema, fixture.config);
    const computed = cases.map(({ pixel_height, pixel_width, ...rest }) => {
      const counts = Object.keys(rest).flatMap((name) => {
        const stages = Number(/^grid_(\d+)stage$/.exec(name)?.[1] ?? 0);
        if (stages === 0) return [];
        const each = Array.from({ length: stages }, () => 1);
        const grid = towerOf({ depths: each, dims: each }).featureGrid(pixel_height, pixel_width);
        return [
          [name, grid],
          [`tokens_${stages}stage`, grid[0] * grid[1]],
        ];
      });
      return { pixel_height, pixel_width, ...rest, ...Object.fromEntries(counts) };
    });
    return compareExactly(computed, cases, 'cases');
  },

  'convllava/compute': async (fixture) => {
    const { parameters, rows } = parseConfig('compute fixture', computeSchema, fixture.config);
    const count = (config: ConvNextConfig) => new ConvNextTower(config).parameterCount();
    const counted = {
      convnext_large_4stage: count(fourStages),
      convnext_large_5stage: count(fiveStages),
      stage5: count(fiveStages) - count(fourStages),
    };
    const expected = Object.fromEntries(Object.keys(counted).map((name) => [name, parameters[name]]));
    const tokens = rows.map(({ encoder, size }) => tokensOf(encoder, size));
    const pairs = rows.flatMap(({ encoder, size, encoder_gmacs, stage_gmacs = [] }) => {
      const { total, stages = [] } = macsOf(encoder, size);
      const ours = [total, ...stages];
      return [encoder_gmacs, ...stage_gmacs].map((each, index) => [(ours[index] ?? Number.NaN) / 1e9, each] as const);
    });
    const error = pairs.reduce((worst, [ours, reference]) => Math.max(worst, Math.abs(ours / reference - 1)), 0);
    return worstOf([
      compareExactly(counted, expected, 'parameters'),
      compareExactly(
        tokens,
        rows.map((row) => row.tokens),
        'tokens',
      ),
      { forward: error, gradient: 0, mismatches: [] },
    ]);
  },
};
