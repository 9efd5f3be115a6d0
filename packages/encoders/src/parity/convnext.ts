import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  compareModule,
  compareWithFixture,
  describeMismatches,
  type Fixture,
  type FixtureTensor,
  fixtureTensors,
  type KeyMap,
  matchWeights,
  type ParityChecks,
  type ParityResult,
  parseConfig,
  readFixture,
  type Tensor,
  type TensorListing,
  toTensor,
  WeightMismatchError,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { ConvNextBlock } from '../convnext/block.js';
import { type ConvNextConfigInput, parseConvNextConfig } from '../convnext/config.js';
import { ConvNextTower } from '../convnext/convnext-tower.js';
import { findConvNextLayouts, keyMapFor } from '../convnext/find-layout.js';

const sizes = z.array(z.number());

/** Both systems' ways to write a configuration. */
const towerSchema = z
  .object({
    depths: sizes,
    dims: sizes,
    norm_eps: z.number(),
    patch_size: z.number().default(4),
    kernel: z.number().default(7),
    act: z.string().default('gelu_exact'),
  })
  .transform(
    ({ depths, dims, norm_eps, patch_size, kernel, act }) =>
      ({
        depths,
        hiddenSizes: dims,
        layerNormEps: norm_eps,
        patchSize: patch_size,
        kernelSize: kernel,
        hiddenAct: act === 'gelu_exact' ? 'gelu' : act,
      }) as ConvNextConfigInput,
  );

const blockSchema = z.object({ dim: z.number(), norm_eps: z.number(), kernel: z.number().default(7) });

/** Names, dtypes and shapes of tensors in memory. */
export function listingOf(tensors: Readonly<Record<string, Pick<FixtureTensor, 'shape' | 'dtype'>>>): TensorListing {
  return { keys: () => Object.keys(tensors), info: (key) => tensors[key]! };
}

/** The key map for the tower among these tensors, in whatever layout it is. */
export function keyMapIn(listing: TensorListing): KeyMap | undefined {
  const [layout] = findConvNextLayouts(listing.keys());
  return layout && keyMapFor(layout, listing);
}

/**
 * Loads a fixture's weights, in whatever layout they are, into the tower it describes, and compares everything under
 * the names of that layout.
 */
async function compareTower(
  fixture: Fixture,
  forward: (tower: ConvNextTower, pixels: Tensor) => Readonly<Record<string, Tensor>>,
): Promise<ParityResult> {
  const stored = fixtureTensors(fixture, 'param');
  const config = parseConfig('convnext fixture', towerSchema, fixture.config);
  const numChannels = Object.values(stored).find(({ shape }) => shape.length === 4)?.shape[1];
  const tower = new ConvNextTower({ ...config, numChannels });
  const listing = listingOf(stored);
  const match = matchWeights(tower, listing, keyMapIn(listing));
  if (describeMismatches(match).length > 0) throw new WeightMismatchError('convnext fixture', fixture.file, match);
  const names = match.assignments.map(({ key, parameters }) => [key, parameters[0]!] as const);
  tower.loadState(Object.fromEntries(names.map(([key, name]) => [name, stored[key]!])));

  const [[name, pixels]] = (await pixelsOf(fixture)) as [[string, Tensor]];
  const parameters = tower.namedParameters();
  return compareWithFixture(fixture, {
    outputs: forward(tower, pixels),
    parameters: Object.fromEntries(names.map(([key, parameter]) => [key, parameters[parameter]!])),
    inputs: { [name]: pixels },
  });
}

/** The images of a fixture. One that has none has those of a fixture beside it with the same structure. */
async function pixelsOf(fixture: Fixture): Promise<[name: string, pixels: Tensor][]> {
  const own = Object.entries(fixtureTensors(fixture, 'in'));
  if (own.length > 0) return own.map(([name, value]) => [name, toTensor(value)]);
  const { depths, hiddenSizes } = parseConfig('convnext fixture', towerSchema, fixture.config);
  const folder = dirname(fixture.file);
  for (const file of (await readdir(folder)).filter((each) => each.endsWith('.safetensors')).sort()) {
    const other = await readFixture(join(folder, file));
    const structure = towerSchema.safeParse(other.config).data;
    const isAlike = structure && [structure.depths, structure.hiddenSizes].join() === [depths, hiddenSizes].join();
    if (isAlike && other.tensors.has('in.pixel_values')) return pixelsOf(other);
  }
  throw new WeightMismatchError('convnext fixture', fixture.file, {
    missing: ['in.pixel_values, here or beside it'],
    unexpected: [],
    misshapen: [],
    mistyped: [],
    repeated: [],
  });
}

/** ConvNeXt towers of ConvLLaVA and Eagle, and a block. */
export const convNextChecks: ParityChecks = {
  'convllava/convnext_hf': (fixture) => compareTower(fixture, (tower, pixels) => ({ tokens: tower.features(pixels) })),

  'convllava/convnext_timm': (fixture) =>
    compareTower(fixture, (tower, pixels) => {
      const { stem, stages } = tower.forward(pixels);
      return { stem, ...Object.fromEntries(stages.map((map, index) => [`stage${index}`, map])) };
    }),

  'eagle/convnext': (fixture) =>
    compareTower(fixture, (tower, pixels) => ({
      ...Object.fromEntries(
        tower.config.depths.map((_, index) => [`stage${index}`, tower.features(pixels, { layer: index + 1 })]),
      ),
      tokens: tower.features(pixels),
    })),

  'convllava/block_small_variance': (fixture) => {
    const { dim, norm_eps, kernel } = parseConfig('convnext block fixture', blockSchema, fixture.config);
    const { hiddenAct, layerScaleInit } = parseConvNextConfig({});
    const block = new ConvNextBlock({
      width: dim,
      kernelSize: kernel,
      layerNormEps: norm_eps,
      activation: hiddenAct,
      layerScaleInit,
    });
    return compareModule(fixture, block, (module, { x }) => ({ y: module.forward(x!) }));
  },
};
