import {
  compareWithFixture,
  concat,
  type Fixture,
  fixtureTensors,
  gather,
  type ParityChecks,
  type ParityResult,
  parseConfig,
  select,
  type Tensor,
  tensor,
  toTensor,
  transpose,
  withKeyMap,
  zeros,
} from '@ocelli/core-tensor';
import { gridLayout, imageGridFromConfig, planGridTokens, type SpliceRow } from '@ocelli/data';
import { llamaConfigFromHuggingFace } from '@ocelli/language';
import { residualManagersConfigFromOfficial } from '@ocelli/manager';
import { z } from 'zod';
import { managedDecoderKeyMap } from '../managed/key-map.js';
import { ManagedDecoder } from '../managed/managed-decoder.js';
import { managedRange, planManagedBatch, questionRow } from '../managed/plan.js';
import { questionIndex } from '../managed/question.js';

const options = z.looseObject({
  mm_manager_grid_type: z.enum(['all', 'main', 'grid']),
  image_aspect_ratio: z.string(),
  image_grid_pinpoints: z.union([z.string(), z.array(z.array(z.int()))]).nullable(),
  tokenizer_model_max_length: z.int().nullable(),
  tokenizer_padding_side: z.enum(['left', 'right']),
  images: z.array(z.object({ tower_inputs: z.int(), size: z.tuple([z.int(), z.int()]) })),
  tower: z.object({ side: z.int(), image_size: z.int(), width: z.int() }),
  image_token: z.int(),
  im_start: z.int(),
});

type Options = z.output<typeof options>;

/** Each image as its grid, or as one tile. */
function imagesOf({ images, tower, image_aspect_ratio, image_grid_pinpoints }: Options) {
  const grid = imageGridFromConfig({ image_aspect_ratio, image_grid_pinpoints }, tower.image_size);
  return images.map(({ tower_inputs, size: [width, height] }) =>
    grid && tower_inputs > 1 ? gridLayout({ width, height }, grid, tower.side) : { tokens: tower.side ** 2 },
  );
}

function rowsOf(fixture: Fixture): SpliceRow[] {
  const [ids, labels, masks] = ['input_ids', 'labels', 'attention_mask'].map((name) => {
    const { shape, data } = fixture.tensors.get(`in.${name}`)!;
    const [rows, length] = shape as [number, number];
    const values = Array.from(data as ArrayLike<number | bigint>, Number);
    return Array.from({ length: rows }, (_, row) => values.slice(row * length, (row + 1) * length));
  });
  return ids!.map((inputIds, row) => ({
    sampleId: `row ${row}`,
    inputIds,
    labels: labels![row]!,
    attentionMask: masks![row]!,
  }));
}

/** Which visual tokens of an image have levels stored: of an image that is one tile all, whatever the grid type says. */
function storedRange(length: number, { tower, mm_manager_grid_type }: Options): readonly [from: number, to: number] {
  const baseTokens = tower.side ** 2;
  return managedRange(length, baseTokens, length === baseTokens ? 'all' : mm_manager_grid_type);
}

/** Places of images and questions as the released code hands them on, image by image. */
function indexes(
  rows: readonly SpliceRow[],
  config: Options,
  { lengths, padding }: { readonly lengths: readonly number[]; readonly padding: readonly number[] },
) {
  const { tower, mm_manager_grid_type: gridType, image_token: imageToken, im_start } = config;
  const number: number[] = [];
  const places: number[] = [];
  const managed: number[] = [];
  const questions: number[] = [];
  let image = 0;
  for (const [position, each] of rows.entries()) {
    const row = questionRow(each, image, { imageToken, gridType, featuresPerSide: tower.side, lengths });
    image += Math.max(1, row.images.length);
    number.push(row.images.length);
    managed.push(
      ...row.lengths.map((length) => {
        const [from, to] = storedRange(length, config);
        return to - from;
      }),
    );
    places.push(...row.images.map((place, index) => padding[position]! + place + index * (tower.side ** 2 - 1)));
    for (const _ of row.images) questions.push(...Object.values(questionIndex(row, im_start)));
  }
  return { number, places, managed, questions };
}

/** Visual levels image by image, padded with zeros to the longest that a row has: [images, levels, tokens, width]. */
function imageLevels(
  tokens: Tensor,
  lengths: readonly number[],
  { config, longest }: { config: Options; longest: number },
): Tensor {
  const [total, levels, width] = tokens.shape as [number, number, number];
  let start = 0;
  const plan = lengths.flatMap((length) => {
    const [from, to] = storedRange(length, config);
    const places = Array.from({ length: longest }, (_, index) => (from + index < to ? start + from + index : total));
    start += length;
    return places;
  });
  const placed = gather(
    concat([tokens, zeros([1, levels, width])], 0),
    tensor(Int32Array.from(plan), [lengths.length, longest]),
  );
  return transpose(placed, [0, 2, 1, 3]);
}

/** Padding in front of each row. */
async function leftPadding(mask: Tensor): Promise<number[]> {
  const [batch, length] = mask.shape as [number, number];
  const values = Array.from(await mask.data(), Number);
  return Array.from({ length: batch }, (_, row) => values.slice(row * length, (row + 1) * length).indexOf(1));
}

async function checkDecoder(stored: Fixture): Promise<ParityResult> {
  const config = parseConfig('ov_lm fixture', options, stored.config);
  const { tower, tokenizer_model_max_length: maximum } = config;
  const decoder = new ManagedDecoder({
    visionWidth: tower.width,
    // The decoder has a head of its own here, and the family's name is that of the whole model.
    language: { ...llamaConfigFromHuggingFace({ ...config, model_type: 'qwen2' }), tieWordEmbeddings: false },
    managers: residualManagersConfigFromOfficial(config),
    imageNewline: stored.tensors.has('param.model.image_newline'),
  });
  const fixture = withKeyMap(stored, decoder, managedDecoderKeyMap(decoder));
  decoder.loadState(fixtureTensors(fixture, 'param'));

  const rows = rowsOf(fixture);
  const images = imagesOf(config);
  const { lengths } = planGridTokens(images, { featuresPerSide: tower.side });
  const batch = planManagedBatch(rows, {
    images,
    featuresPerSide: tower.side,
    imageToken: config.image_token,
    openingToken: config.im_start,
    gridType: config.mm_manager_grid_type,
    padding: config.tokenizer_padding_side,
    ...(maximum === null ? {} : { maximumLength: maximum }),
  });
  const hidden = toTensor(fixture.tensors.get('in.vision_hidden_states')!);
  const states = Array.from({ length: hidden.shape[0]! }, (_, index) => select(hidden, 0, index));
  const { logits, loss } = decoder.forward(states, batch);
  const { number, places, managed, questions } = indexes(rows, config, {
    lengths,
    padding: await leftPadding(batch.attentionMask),
  });
  const integers = (values: readonly number[], shape: readonly number[] = [values.length]) =>
    tensor(Int32Array.from(values), shape);
  return compareWithFixture(fixture, {
    outputs: {
      logits,
      loss: loss!,
      inputs_embeds: decoder.input(states, batch).inputsEmbeds,
      multi_layer_features: imageLevels(decoder.visualLevels(states, batch), lengths, {
        config,
        longest: managed.length > 0 ? Math.max(...managed) : tower.side ** 2,
      }),
      expanded_labels: batch.labels,
      expanded_mask: batch.attentionMask,
      image_indexes: integers(places),
      image_lengths: integers(managed),
      image_number: integers(number),
      query_indexes: integers(questions, [questions.length / 3, 3]),
    },
    parameters: decoder.namedParameters(),
    inputs: { vision_hidden_states: hidden },
  });
}

/** Language models with managers. */
export const managedChecks: ParityChecks = { 'manager/ov_lm': checkDecoder };
