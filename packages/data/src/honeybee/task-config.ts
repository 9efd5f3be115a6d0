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

/**
 * Patterns in place of the data set's published one; each conversation draws one. The paper's ablations of instructions
 * (table 5: ten patterns each, some with question and answer the other way round, one for all data sets of a task, or the
 * name of the data set or the task instead of an instruction) are such lists, whose texts were not published.
 */
const patterns = z
  .array(z.strictObject({ input: z.string(), target: z.string().min(1) }))
  .min(1)
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
  z.strictObject({ type: z.literal('vqa'), root: path, split: z.enum(['train', 'val']), turns, deduplicate, patterns }),
  /** GQA: a JSON object of questions, and a folder of images. */
  z.strictObject({ type: z.literal('gqa'), file: path, imageRoot: path, turns, deduplicate, patterns }),
  /** OCR-VQA: `dataset.json`, and a folder of images. */
  z.strictObject({
    type: z.literal('ocrvqa'),
    file: path,
    imageRoot: path,
    split: z.enum(['train', 'val', 'test']),
    turns,
    deduplicate,
    patterns,
  }),
  /** VSR: JSON Lines, or a JSON list. */
  z.strictObject({
    type: z.literal('vsr'),
    file: path,
    imageRoot: path,
    turns,
    /** How captions become questions; see `QuestionForm`. `published` is what Honeybee was trained with. */
    questionForm: z.enum(['published', 'corrected']).default('published'),
    patterns,
  }),
  /** ScienceQA in LLaVA's files. */
  z.strictObject({ type: z.literal('sqa'), files: z.array(path).min(1), imageRoot: path, options, patterns }),
  /** A-OKVQA: `aokvqa_v1p0_SPLIT.json`. */
  z.strictObject({ type: z.literal('aokvqa'), file: path, imageRoot: path, turns, options, patterns }),
  /** RefCOCO and its like: MDETR's `finetune_NAME_train.json`. */
  z.strictObject({
    type: z.literal('refexp'),
    root: path,
    names: z.array(z.enum(['refcoco', 'refcoco+', 'refcocog'])).min(1),
    imageRoot: path,
    turns,
    decimals,
    deduplicate,
    patterns,
  }),
  /** Visual Genome: `image_data.json`, `region_descriptions.json`. */
  z.strictObject({ type: z.literal('vgloc'), root: path, imageRoot: path, turns, decimals, deduplicate, patterns }),
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
