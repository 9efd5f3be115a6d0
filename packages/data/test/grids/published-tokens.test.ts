import { fileURLToPath } from 'node:url';
import {
  add,
  closeEngine,
  concat,
  embedding,
  type Fixture,
  gather,
  gelu,
  linear,
  mul,
  readFixture,
  reshape,
  select,
  sliceAxis,
  sum,
  type Tensor,
  tensor,
  toTensor,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { type SplicedBatch, spliceImages } from '../../src/collate/splice.js';
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

/** features [tiles, features, width], newline [width] → visual tokens [tokens, width] */
function arrange(features: Tensor, newline: Tensor, { rows, weights, tokens, taps }: GridTokenPlan): Tensor {
  const table = concat([reshape(features, [-1, newline.size]), reshape(newline, [1, -1])], 0);
  return sum(mul(gather(table, tensor(rows, [tokens, taps])), tensor(weights, [tokens, taps, 1])), { axes: [1] });
}

function planImages({ images, tower, ...keys }: ModelConfig): GridTokenPlan {
  const { side, image_size: tile } = tower;
  const grid = imageGridFromConfig(keys, tile)!;
  return planGridTokens(
    images.map(({ tower_inputs: inputs, size: [width, height] }) =>
      inputs === 1 ? { tokens: side ** 2 } : gridLayout({ width, height }, grid, side),
    ),
    { featuresPerSide: side },
  );
}

function spliceTokens(fixture: Fixture, { lengths }: GridTokenPlan): SplicedBatch {
  const { tokenizer_model_max_length: maximumLength } = fixture.config as ModelConfig;
  const [rows, length] = fixture.tensors.get('in.input_ids')!.shape as [number, number];
  const row = (name: string, index: number) =>
    Array.from(fixture.tensors.get(`in.${name}`)!.data as BigInt64Array, Number).slice(
      index * length,
      (index + 1) * length,
    );
  return spliceImages(
    Array.from({ length: rows }, (_, index) => ({
      sampleId: `row ${index}`,
      inputIds: row('input_ids', index),
      labels: row('labels', index),
      attentionMask: row('attention_mask', index),
    })),
    { featureLengths: lengths, ...(maximumLength === null ? {} : { maximumLength }) },
  );
}

/** Projected hidden states of one index [tiles, features, width]. */
function project(fixture: Fixture, index: number): Tensor {
  const parameter = (name: string) => toTensor(fixture.tensors.get(`param.model.mm_projector.${name}`)!);
  const states = toTensor(fixture.tensors.get('in.vision_hidden_states')!); // [layers + 1, tiles, features, width]
  const hidden = linear(select(states, 0, index), parameter('0.weight'), parameter('0.bias'));
  return linear(gelu(hidden), parameter('2.weight'), parameter('2.bias'));
}

async function largestError(computed: Tensor, expected: ArrayLike<number>): Promise<number> {
  const values = Array.from(await computed.data(), Number);
  expect(values).toHaveLength(expected.length);
  return Math.max(...values.map((value, index) => Math.abs(value - expected[index]!)));
}

describe('the tokens of the published LLaVA-OV-Manager', () => {
  afterAll(closeEngine);

  it.each([
    // A grid that is resized, and a row without an image that brings a blank one.
    { file: 'ov_lm_static_grid_max.safetensors', tiles: [7, 1, 7], lengths: [19, 9, 21], taps: 4 },
    // Without a limit, and cut off inside an image.
    { file: 'ov_lm_static_truncated.safetensors', tiles: [4, 3], lengths: [37, 25], taps: 1 },
  ])('stand where the model had them: $file', async ({ file, ...expected }) => {
    const fixture = await readFixture(folder + file);
    const config = fixture.config as ModelConfig;
    const plan = planImages(config);
    expect(plan).toMatchObject(expected);
    const spliced = spliceTokens(fixture, plan);
    const stored = (name: string) => fixture.tensors.get(name)!;
    expect(Array.from(spliced.labels)).toEqual(Array.from(stored('out.expanded_labels').data, Number));
    expect(Array.from(spliced.attentionMask)).toEqual(Array.from(stored('out.expanded_mask').data, Number));

    const newline = toTensor(stored('param.model.image_newline'));
    const visual = arrange(project(fixture, stored('in.vision_hidden_states').shape[0]! - 1), newline, plan);
    const cells = [spliced.batch, spliced.length];
    const text = embedding(tensor(spliced.inputIds, cells), toTensor(stored('param.model.embed_tokens.weight')));
    const width = newline.size;
    const table = concat([reshape(text, [-1, width]), visual, tensor(new Float32Array(width), [1, width])], 0);
    const embedded = gather(table, tensor(spliced.plan, cells));
    expect(await largestError(embedded, stored('out.inputs_embeds').data as Float32Array)).toBeLessThan(1e-6);

    const { shape, data } = stored('out.multi_layer_features'); // [rows, layers, tokens, width]
    const layerEmbedding = toTensor(stored('param.model.manager_layer_embedding'));
    for (const [layer, index] of config.mm_manager_select_layer_index_list.entries()) {
      const tokens = arrange(add(project(fixture, index), select(layerEmbedding, 0, layer)), newline, plan);
      let start = 0;
      for (const [image, length] of plan.lengths.entries()) {
        const row = (image * shape[1]! + layer) * shape[2]! * width;
        const own = sliceAxis(tokens, 0, start, start + length);
        start += length;
        const reference = (data as Float32Array).slice(row, row + length * width);
        expect(await largestError(own, reference)).toBeLessThan(1e-6);
      }
    }
  });
});
