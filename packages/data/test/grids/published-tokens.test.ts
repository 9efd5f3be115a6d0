import { fileURLToPath } from 'node:url';
import {
  add,
  type Fixture,
  gather,
  gelu,
  linear,
  mul,
  readFixture,
  reshape,
  sum,
  type Tensor,
  tensor,
  toTensor,
} from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { spliceImages } from '../../src/collate/splice.js';
import { gridLayout } from '../../src/grids/grid-layout.js';
import { imageGridFromConfig } from '../../src/grids/image-grid.js';
import { type GridTokenPlan, planGridTokens } from '../../src/grids/plan-grid-tokens.js';

interface ModelConfig {
  readonly image_aspect_ratio: string;
  readonly image_grid_pinpoints: number[][];
  readonly tokenizer_model_max_length: number | null;
  readonly mm_manager_select_layer_index_list: number[];
  readonly images: readonly { readonly tower_inputs: number; readonly size: [number, number] }[];
  readonly tower: { readonly side: number; readonly image_size: number };
}

const folder = fileURLToPath(new URL('../fixtures/manager/', import.meta.url));

/** features [tiles, features, width] and a newline [width] → visual tokens [tokens, width] */
function arrange(features: Tensor, newline: Tensor, { rows, weights, tokens, taps }: GridTokenPlan): Tensor {
  const width = newline.shape[0]!;
  const table = concatRows(reshape(features, [-1, width]), newline);
  const tapped = mul(gather(table, tensor(rows, [tokens, taps])), tensor(weights, [tokens, taps, 1]));
  return sum(tapped, { axes: [1] });
}

function planOf({ config }: Fixture) {
  const model = config as ModelConfig;
  const { side, image_size: tile } = model.tower;
  const grid = imageGridFromConfig(model, tile)!;
  const images = model.images.map(({ tower_inputs: inputs, size: [width, height] }) =>
    inputs === 1 ? { tokens: side * side } : gridLayout({ width, height }, grid, side),
  );
  const plan = planGridTokens(images, { featuresPerSide: side });
  expect(plan.tiles).toEqual(model.images.map((image) => image.tower_inputs));
  return plan;
}
