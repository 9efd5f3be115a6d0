import { z } from 'zod';

const turns = z.int().min(-1).default(1);
const decimals = z.union([z.literal(2), z.literal(3)]).default(3);
const path = z.string().min(1);

const deduplicate = z
  .strictObject({
    key: z.string().min(1),
    whitelist: z.union([z.literal('all'), z.array(z.string())]).nullish(),
    online: z.boolean().optional(),
  })
  .optional();

const options = z
  .strictObject({
    shuffle: z.boolean().optional(),
    randomStyle: z.boolean().optional(),
    answerText: z.boolean().optional(),
    staleShuffles: z.number().min(0).max(1).optional(),
    separator: z.string().optional(),
  })
  .default({});

/** Where a data set of Honeybee is, and how its conversations are made. */
export const taskConfigSchema = z.discriminatedUnion('type', [
  /** VQAv2: `v2_OpenEnded_mscoco_SPLIT2014_questions.json`, `v2_mscoco_SPLIT2014_annotations.json`, `images/`. */
  z.strictObject({ type: z.literal('vqa'), root: path, split: z.enum(['train', 'val']), turns, deduplicate }),
  /** GQA: a JSON object of questions, and a folder of images. */
  z.strictObject({ type: z.literal('gqa'), file: path, imageRoot: path, turns, deduplicate }),
  /** OCR-VQA: `dataset.json`, and a folder of images. */
  z.strictObject({
    type: z.literal('ocrvqa'),
    file: path,
    imageRoot: path,
    split: z.enum(['train', 'val', 'test']),
    turns,
    deduplicate,
  }),
  /** VSR: JSON Lines, or a JSON list. */
  z.strictObject({
    type: z.literal('vsr'),
    file: path,
    imageRoot: path,
    turns,
    /** How captions become questions; see `QuestionForm`. `published` is what Honeybee was trained with. */
    questionForm: z.enum(['published', 'corrected']).default('published'),
  }),
  /** ScienceQA in LLaVA's files. */
  z.strictObject({ type: z.literal('sqa'), files: z.array(path).min(1), imageRoot: path, options }),
  /** A-OKVQA: `aokvqa_v1p0_SPLIT.json`. */
  z.strictObject({ type: z.literal('aokvqa'), file: path, imageRoot: path, turns, options }),
  /** RefCOCO and its like: MDETR's `finetune_NAME_train.json`. */
  z.strictObject({
    type: z.literal('refexp'),
    root: path,
    names: z.array(z.enum(['refcoco', 'refcoco+', 'refcocog'])).min(1),
    imageRoot: path,
    turns,
    decimals,
    deduplicate,
  }),
  /** Visual Genome: `image_data.json`, `region_descriptions.json`. */
  z.strictObject({ type: z.literal('vgloc'), root: path, imageRoot: path, turns, decimals, deduplicate }),
  /** LLaVA's instruction data. */
  z.strictObject({
    type: z.literal('llava'),
    files: z.array(path).min(1),
    imageRoot: path,
    imageTexts: z.array(path).min(1).optional(),
    asCaptions: z.boolean().default(false),
  }),
  /** ShareGPT. */
  z.strictObject({ type: z.literal('vicuna'), files: z.array(path).min(1) }),
]);

export type TaskConfig = z.output<typeof taskConfigSchema>;
export type TaskConfigInput = z.input<typeof taskConfigSchema>;
