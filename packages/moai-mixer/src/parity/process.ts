import {
  compareExactly,
  compareWithFixture,
  concat,
  gather,
  gelu,
  linear,
  mean,
  type ParityCheck,
  parseConfig,
  reshape,
  type Tensor,
  tensor,
  toTensor,
  transpose,
  worstOf,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { moaiPrompt } from '../prompts/prompt.js';
import { tokenizeMoaiPrompt } from '../prompts/tokenize-prompt.js';
import type { VisionFindings } from '../verbalization/findings.js';
import { clipMean, clipStd, panopticPixels } from '../verbalization/panoptic-image.js';
import { verbalize } from '../verbalization/verbalize.js';
import { detectionQueries } from '../vocabularies/index.js';
import { imageToken, toyTokens } from './texts.js';

const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);

const fields = z.object({
  prompts: z.array(z.string()),
  aux_texts: z.array(z.string()),
  patch: z.number(),
  segments_info: z.array(z.array(z.object({ id: z.number(), label_id: z.number() }))),
  detection: z.array(z.tuple([z.array(box), z.array(z.number()), z.array(z.number())])),
  ocr: z.array(z.array(z.tuple([z.string(), z.number()]))),
  cv_calls: z.object({ detection_queries: z.array(z.number()) }),
  image_tokens_in_masks: z.number(),
});

/** What the fixtures' tokenizer begins and pads with. */
const [begin, padding] = [1, 2];

/** Rows padded on the left to one length, int32 [rows, length]. */
function leftPadded(rows: readonly (readonly number[])[], fill: number): Tensor {
  const length = Math.max(...rows.map((row) => row.length));
  const padded = rows.flatMap((row) => [...new Array<number>(length - row.length).fill(fill), ...row]);
  return tensor(Int32Array.from(padded), [rows.length, length]);
}

const ones = (row: readonly unknown[]) => row.map(() => 1);

/** The mean of each patch: pixels [batch, 3, height, width] → [batch, patches, 3] */
function patchMeans(pixels: Tensor, patch: number): Tensor {
  const [batch, channels, height, width] = pixels.shape as [number, number, number, number];
  const [rows, columns] = [height / patch, width / patch];
  const patches = reshape(pixels, [batch, channels, rows, patch, columns, patch]);
  return transpose(reshape(mean(patches, { axes: [3, 5] }), [batch, channels, rows * columns]), [0, 2, 1]);
}

/**
 * What a MoAI model is given for pictures and questions, of what external models found: words, auxiliary tokens of the
 * words and of the panoptic map, ids, masks and pixels. Stands for the vision tower: the mean of each patch.
 */
export const checkProcess: ParityCheck = async (fixture) => {
  const config = parseConfig('moai process fixture', fields, fixture.config);
  const { prompts, aux_texts, segments_info, detection, ocr, patch, cv_calls, image_tokens_in_masks } = config;
  const weight = (key: string) => toTensor(fixture.tensors.get(`param.${key}`)!);
  const numbers = (key: string) => Float32Array.from(fixture.tensors.get(key)!.data as BigInt64Array, Number);
  const findings = prompts.map((_, index): VisionFindings => {
    const [height, width] = fixture.tensors.get(`in.segmentation${index}`)!.shape as [number, number];
    const [boxes, scores, labels] = detection[index]!;
    return {
      segmentation: {
        height,
        width,
        ids: numbers(`in.segmentation${index}`),
        segments: segments_info[index]!.map(({ id, label_id: label }) => ({ id, label })),
      },
      detections: boxes.map((each, place) => ({ box: each, score: scores[place]!, label: labels[place]! })),
      sceneGraph: { labels: [], relations: [] },
      lines: ocr[index]!.map(([text, confidence]) => ({ text, confidence })),
    };
  });
  const texts = findings.map((found) => verbalize(found));
  const tokenized = prompts.map((question) =>
    tokenizeMoaiPrompt(moaiPrompt(question), toyTokens, {
      imageToken,
      beginToken: begin,
      imageTokens: image_tokens_in_masks,
    }),
  );
  const ids = tokenized.map(({ inputIds }) => inputIds);
  const masks = tokenized.map(({ imageMask }) => Array.from(imageMask));
  const shape = fixture.tensors.get('in.images')!.shape as [number, number, number, number];
  const area = shape[2] * shape[3];
  const pixels = numbers('in.images').map((value, cell) => {
    const channel = Math.floor(cell / area) % 3;
    return (value - 255 * clipMean[channel]!) / (255 * clipStd[channel]!);
  });
  const maps = Float32Array.from(findings.flatMap(({ segmentation }) => [...panopticPixels(segmentation)]));
  const projected = linear(
    gelu(linear(patchMeans(tensor(maps, shape), patch), weight('vision_proj.0.weight'), weight('vision_proj.0.bias'))),
    weight('vision_proj.2.weight'),
    weight('vision_proj.2.bias'),
  );
  const words = leftPadded(
    texts.map((text) => [begin, ...toyTokens(text)]),
    padding,
  );
  const embedded = gather(weight('model.tok_embeddings.weight'), words, { axis: 0 });
  return worstOf([
    compareExactly(texts, aux_texts, 'texts'),
    compareExactly([detectionQueries.length], cv_calls.detection_queries, 'queries'),
    await compareWithFixture(fixture, {
      outputs: {
        input_ids: leftPadded(ids, padding),
        attention_mask: leftPadded(ids.map(ones), 0),
        im_mask: leftPadded(masks, 0),
        lang_mask: leftPadded(
          masks.map((mask) => mask.map((value) => 1 - value)),
          0,
        ),
        aux_embeds: concat([embedded, projected], 1),
        pixel_values: tensor(pixels, shape),
      },
    }),
  ]);
};
