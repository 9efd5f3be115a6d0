import { type Tensor, tensor } from '@ocelli/core-tensor';
import type { Batch } from '@ocelli/data';
import { gridTensors } from '../grid-tokens.js';
import type { ManagedVisionLanguageModel } from './managed-model.js';
import { askedPlaces, type ManagedBatch, managedRange, type QuestionOptions } from './plan.js';
import type { QuestionRow } from './question.js';

/** A {@link ManagedBatch} and the images of its sequences. */
export interface ManagedVisionLanguageBatch extends ManagedBatch {
  /** float32 [inputs, 3, height, width]; a blank one where the batch has no images. */
  readonly pixelValues: Tensor;
}

/**
 * A collated batch, as `createLoader` makes it, as tensors for a model with managers. What `planManagedBatch` does for rows
 * of ids with markers, this does for sequences whose images are in place.
 *
 * @param model whose managers say which visual tokens are managed
 */
export function toManagedTensors(
  batch: Batch,
  model: ManagedVisionLanguageModel,
  options: QuestionOptions = {},
): ManagedVisionLanguageBatch {
  const { shape, grid } = batch;
  const { gridType } = model.decoder.managers.config;
  const cells = shape.batch * shape.length;
  const perInput = model.visualTokensPerImage;
  // As the released code has it, the vision tower is used by every batch.
  const inputs = Math.max(1, shape.images);
  const side = model.imageSize;
  const [height, width] = shape.images === 0 ? [side, side] : [shape.height, shape.width];
  const tokens = shape.images > 0 && grid ? grid.tokens : inputs * perInput;
  const rows = Int32Array.from({ length: tokens }, (_, token) => token);
  const managedPlan = new Int32Array(cells).fill(tokens);
  const questionMask = new Int32Array(cells);
  let image = 0;
  for (let index = 0; index < shape.batch; index++) {
    const first = batch.attentionMask.indexOf(1, index * shape.length);
    const row: { ids: number[]; images: number[]; lengths: number[]; managedLengths: number[] } & QuestionRow = {
      ids: [],
      images: [],
      lengths: [],
      managedLengths: [],
    };
    const managed: number[] = [];
    for (let place = 0; place < batch.lengths[index]!; ) {
      const from = batch.plan[first + place]! - cells;
      if (from < 0) {
        row.ids.push(batch.inputIds[first + place]!);
        place++;
        continue;
      }
      const length = grid?.lengths[image++] ?? perInput;
      const [start, end] = managedRange(length, perInput, gridType);
      for (let token = start; token < end; token++) {
        managedPlan[first + place + token] = from + token;
        managed.push(place + token);
      }
      row.images.push(row.ids.length);
      // Any id that opens no turn.
      row.ids.push(-1);
      row.lengths.push(length);
      row.managedLengths.push(end - start);
      place += length;
    }
    if (managed.length === 0) continue;
    for (const place of askedPlaces(row, managed, batch.lengths[index]!, options)) questionMask[first + place] = 1;
  }
  const each = [shape.batch, shape.length];
  return {
    inputIds: tensor(batch.inputIds, each),
    plan: tensor(batch.plan, each),
    labels: tensor(batch.labels, each),
    attentionMask: tensor(batch.attentionMask, each),
    gridTokens: shape.images > 0 && grid ? gridTensors(grid) : { rows: tensor(rows, [tokens, 1]) },
    managedPlan: tensor(managedPlan, each),
    questionMask: tensor(questionMask, each),
    pixelValues:
      shape.images === 0
        ? tensor(new Float32Array(3 * side * side), [1, 3, side, side])
        : tensor(batch.pixelValues, [inputs, 3, height, width]),
  };
}
