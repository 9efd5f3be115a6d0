import { ConfigError, tensor } from '@ocelli/core-tensor';
import {
  CLIP_MEAN,
  CLIP_STD,
  type ImageProcessor,
  imageProcessor,
  type PixelValues,
  type Tokenizer,
} from '@ocelli/data';
import {
  type MoaiPromptStyle,
  moaiAnswerText,
  moaiPrompt,
  type PanopticPixelsOptions,
  panopticPixels,
  type VerbalizeOptions,
  type VisionFindings,
  verbalize,
} from '@ocelli/moai-mixer';
import { mergeImageTokens } from './merge.js';
import type { MoaiBatch, MoaiModel } from './moai-model.js';

/** A picture, what external models found in it, and a question about it. */
export interface MoaiSample {
  readonly question: string;
  /** For training: what is learnt. */
  readonly answer?: string;
  /** The picture as the vision tower reads it; see {@link moaiImageProcessor}. */
  readonly pixels: PixelValues;
  readonly findings: VisionFindings;
}

/** Options of {@link prepareMoai}. */
export interface PrepareMoaiOptions {
  readonly tokenizer: Tokenizer;
  /** Default: `evaluation`, as the published model was trained. */
  readonly style?: MoaiPromptStyle;
  /** How findings are put into words. */
  readonly verbalization?: VerbalizeOptions;
  /** How the panoptic map becomes pixels. */
  readonly panoptic?: PanopticPixelsOptions;
}

/**
 * The picture's preparation: `size` × `size` pixels whatever its shape, bilinear as Pillow, CLIP's normalisation. That is
 * how the official code evaluates; its demonstration resizes without averaging, which gives other pixels.
 */
export function moaiImageProcessor(size = 490): ImageProcessor {
  const resize = { width: size, height: size };
  return imageProcessor({ resize, filter: 'bilinear', mean: [...CLIP_MEAN], std: [...CLIP_STD] });
}

/** Rows of different lengths, padded on the left: values row by row, and 1 where there is one. */
function leftPadded(rows: readonly (readonly number[])[], padding: number) {
  const length = Math.max(0, ...rows.map((row) => row.length));
  const fill = (row: readonly number[], value: number) => new Array<number>(length - row.length).fill(value);
  return {
    length,
    values: rows.map((row) => [...fill(row, padding), ...row]),
    mask: rows.map((row) => [...fill(row, 0), ...row.map(() => 1)]),
  };
}

/**
 * Samples as a batch for a model: prompts, words of the findings, panoptic maps, masks, and with answers the labels.
 * Answers are no language to the experts, which would show them to the tokens in front of them.
 *
 * @throws ConfigError if there is no sample, the tokenizer lacks an end token, pictures or maps are not of the tower's
 *   size, or some samples have answers and others do not
 */
export function prepareMoai(
  samples: readonly MoaiSample[],
  model: MoaiModel,
  { tokenizer, style, verbalization, panoptic }: PrepareMoaiOptions,
): MoaiBatch {
  const { imageToken, imageTokens } = model;
  const { bosTokenId = 1, eosTokenId: padding } = tokenizer;
  checkSamples(samples, padding);
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });
  const rows = samples.map(({ question, answer }) => {
    const { system, turn } = moaiPrompt(question, style);
    const prompt = [bosTokenId, ...encode(system.replace('<image>', '')), imageToken, ...encode(turn)];
    const learnt = answer === undefined ? [] : encode(moaiAnswerText(answer));
    return { ids: [...prompt, ...learnt], learnt };
  });
  const prompts = leftPadded(
    rows.map(({ ids }) => ids),
    padding!,
  );
  const merged = mergeImageTokens(
    { inputIds: prompts.values, attentionMask: prompts.mask },
    { imageToken, imageTokens },
  );
  const cells = [samples.length, merged.length];
  const labels = new Int32Array(cells[0]! * cells[1]!).fill(-100);
  const language = Int32Array.from(merged.attentionMask, (there, cell) => (merged.imageMask[cell] ? 0 : there));
  rows.forEach(({ learnt }, row) => {
    const start = (row + 1) * merged.length - learnt.length;
    labels.set(learnt, start);
    language.fill(0, start, start + learnt.length);
  });
  const words = leftPadded(
    samples.map(({ findings }) => [bosTokenId, ...encode(verbalize(findings, verbalization))]),
    padding!,
  );
  return {
    inputIds: tensor(Int32Array.from(prompts.values.flat()), [samples.length, prompts.length]),
    plan: tensor(merged.plan, cells),
    attentionMask: tensor(merged.attentionMask, cells),
    imageMask: tensor(Int32Array.from(merged.imageMask), cells),
    languageMask: tensor(language, cells),
    pixelValues: stacked(samples.map(({ pixels }) => pixels)),
    aux: {
      ids: tensor(Int32Array.from(words.values.flat()), [samples.length, words.length]),
      panopticPixels: stacked(
        samples.map(({ findings: { segmentation } }) => ({
          data: panopticPixels(segmentation, panoptic),
          height: segmentation.height,
          width: segmentation.width,
        })),
      ),
    },
    ...(samples[0]!.answer !== undefined && { labels: tensor(labels, cells) }),
  };
}

function checkSamples(samples: readonly MoaiSample[], padding: number | undefined): void {
  const operation = 'prepareMoai';
  if (samples.length === 0) throw new ConfigError({ operation, expected: 'a sample', received: 'none' });
  if (padding === undefined) {
    throw new ConfigError({ operation, expected: 'a tokenizer with an end token', received: 'one without' });
  }
  const answered = samples.filter(({ answer }) => answer !== undefined).length;
  if (answered !== 0 && answered !== samples.length) {
    throw new ConfigError({
      operation,
      expected: 'answers in all samples or in none',
      received: `${answered} of ${samples.length}`,
    });
  }
}

/** Pictures of one size: [batch, 3, height, width]. */
function stacked(pictures: readonly PixelValues[]) {
  const [{ height, width }] = pictures as readonly [PixelValues, ...PixelValues[]];
  const other = pictures.find((each) => each.height !== height || each.width !== width);
  if (other) {
    throw new ConfigError({
      operation: 'prepareMoai',
      expected: `pictures of one size, ${height} × ${width}`,
      received: `${other.height} × ${other.width}`,
    });
  }
  const data = new Float32Array(pictures.length * 3 * height * width);
  pictures.forEach((each, index) => {
    data.set(each.data, index * each.data.length);
  });
  return tensor(data, [pictures.length, 3, height, width]);
}
