import {
  imageGridSchema,
  imageProcessorSchema,
  isSampleSelection,
  type SampleSelection,
  TEMPLATES,
} from '@ocelli/data';
import { z } from 'zod';
import { partSchema, stageSchema, templateSchema } from '../recipe/schema.js';
import { gridSchema } from './grid.js';

const count = z.int().positive();

/** A part of the data: conversations in LLaVA's format, and the folder that their images' paths start from. */
const dataSchema = z.strictObject({ file: z.string().min(1), imageRoot: z.string().min(1).optional() });

/**
 * What kind of model it is: visual tokens as the projector makes them, or with managers that add levels of the encoder to
 * them inside the language model (LLaVA-OV-Manager).
 */
const modelSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('vision-language') }),
  z.strictObject({
    kind: z.literal('managed'),
    /** Checked by the managers; their sizes follow from the language model. */
    managers: partSchema.default({}),
  }),
]);

/** A template by its name, or one of its own. */
const namedTemplateSchema = z.preprocess((value, context) => {
  if (typeof value !== 'string') return value;
  if (Object.hasOwn(TEMPLATES, value)) return TEMPLATES[value as keyof typeof TEMPLATES];
  const names = Object.keys(TEMPLATES).join(', ');
  context.addIssue(`expected one of ${names}, or a template`);
  return z.NEVER;
}, templateSchema);

/** `all`, or a part of the samples, such as `first:30%`, `random:5%` or `end:1000`. */
const samplingSchema = z.custom<SampleSelection>(
  (value) => typeof value === 'string' && isSampleSelection(value),
  'expected all, or first, end or random with a share or a number, such as first:30% or end:1000',
);

/** The name of a part of the data, or several with the weights that they are mixed by. */
const stageDataSchema = z.preprocess(
  (value) => (typeof value === 'string' ? [{ name: value }] : value),
  z
    .array(
      z.strictObject({
        name: z.string(),
        /** Of a sample's coming from this part, where parts are mixed. Default: 1. */
        weight: z.number().positive().optional(),
        sampling: samplingSchema.default('all'),
      }),
    )
    .min(1),
);

/** `pad`, `crop` or `squash`, the path of a `preprocessor_config.json`, or a processor. */
const imageProcessorChoiceSchema = z.union(
  [z.string().min(1), imageProcessorSchema],
  'expected pad, crop, squash, a path, or a processor',
);

const trainingStageSchema = stageSchema
  .extend({
    data: stageDataSchema,
    /** What becomes of several parts: mixed by `weights`, or `joined`, each sample once an epoch. */
    mixing: z.enum(['weights', 'joined']).default('weights'),
    /** Whether the samples of a step are of like length, all with images or all without, as LLaVA does it. */
    groupByLength: z.boolean().default(false),
    /** Default: that of all stages; null for none. */
    grid: gridSchema.nullable().optional(),
    /** Default: that of all stages. */
    template: namedTemplateSchema.optional(),
    /** Default: that of all stages. */
    maximumLength: count.optional(),
    /** Default: that of `vision`. */
    imageProcessor: imageProcessorChoiceSchema.optional(),
  })
  .refine(({ data, mixing }) => mixing === 'weights' || data.every(({ weight }) => weight === undefined), {
    path: ['data'],
    message: 'joined data has no weights: leave weight out, or choose samples with sampling',
  })
  .refine(({ data, mixing, groupByLength }) => !groupByLength || data.length === 1 || mixing === 'joined', {
    path: ['groupByLength'],
    message: 'samples that are drawn by weight cannot be grouped: set mixing to joined',
  })
  .transform(({ data, ...stage }) => ({
    ...stage,
    data: stage.mixing === 'joined' ? data : data.map((part) => ({ ...part, weight: part.weight ?? 1 })),
  }));

/** Where the vocabulary comes from: a folder with `tokenizer.json`, or the training data. */
const tokenizerSchema = z
  .strictObject({ folder: z.string().min(1).optional(), vocabularySize: count.optional() })
  .refine(
    ({ folder, vocabularySize }) => (folder === undefined) !== (vocabularySize === undefined),
    'needs either folder or vocabularySize',
  );

/** What a trained model needs to be asked questions: kept with every run. */
export const runSchema = z.looseObject({
  /** Names of parts also name files. */
  data: z.record(z.string().regex(/^[\w.-]+$/, 'a name has letters, digits, and . _ -'), dataSchema),
  template: namedTemplateSchema,
  /** Longest sequence, images included: training samples are cut, longer questions refused. */
  maximumLength: count.default(2048),
  vision: z.looseObject({ imageProcessor: imageProcessorSchema.optional() }).optional(),
  /** How images are cut into tiles; null for not at all. */
  grid: imageGridSchema.nullish(),
});

/** What `ocelli train` reads: one model, its data and its stages. Paths start from the folder of the file. */
export const trainingConfigSchema = z.strictObject({
  ...runSchema.shape,
  /** Root of all random numbers. */
  seed: z.int().nonnegative().default(0),
  tokenizer: tokenizerSchema,
  model: modelSchema.default({ kind: 'vision-language' }),
  vision: z.strictObject({
    config: partSchema,
    /** Folder or file of safetensors with the encoder's own names. Default: trained from nothing. */
    weights: z.string().min(1).optional(),
    /** Default: the encoder's. */
    featureLayer: z.int().optional(),
    /** How images become pixels. Default: `squash`, as large as the encoder's, normalised as CLIP's. */
    imageProcessor: imageProcessorChoiceSchema.optional(),
  }),
  language: z.strictObject({ config: partSchema, weights: z.string().min(1).optional() }),
  projector: z.looseObject({ type: z.string() }),
  /** How images are cut into tiles in the stages that say nothing else. Default: they are not. */
  grid: gridSchema.nullish(),
  /** Whether the model has a learnt row that ends each row of a grid, which grids need. Default: if a stage has one. */
  imageNewline: z.boolean().optional(),
  /** Lengths that sequences are padded to, or one that they are padded to multiples of. */
  buckets: z.union([count, z.array(count).min(1)], 'expected a length, or a list of lengths').default(64),
  stages: z
    .array(trainingStageSchema)
    .min(1)
    .refine((stages) => new Set(stages.map(({ name }) => name)).size === stages.length, 'stages need different names'),
  checkpoints: z.strictObject({ every: count.optional(), keepLast: count.optional() }).default({}),
  /** Whether an image that cannot be read ends the training, or a black one takes its place, as in Eagle's. */
  brokenImages: z.enum(['error', 'black']).default('error'),
  /** Threads that read images. Default: by the number of processors. */
  workers: count.max(256).optional(),
});

export type RunDescription = Readonly<z.output<typeof runSchema>>;
export type TrainingConfig = Readonly<z.output<typeof trainingConfigSchema>>;
export type TrainingStage = TrainingConfig['stages'][number];
