import { conversationTemplateSchema, microworldOptionsSchema } from '@ocelli/data';
import { stageConfigSchema } from '@ocelli/trainer';
import { z } from 'zod';

const count = z.int().positive();

/** A frame of conversations. */
export const templateSchema = conversationTemplateSchema;

const pretrainingSchema = z.strictObject({ steps: count, batchSize: count, learningRate: z.number().positive() });

/** A part's configuration is checked by the part itself. */
export const partSchema = z.record(z.string(), z.unknown());

/** What a stage learns from: captions of pictures, or questions about them. */
export const stageSchema = z.strictObject({
  ...stageConfigSchema.shape,
  data: z.enum(['captions', 'questions']),
  batchSize: count,
});

/** One size at which a recipe runs: data, parts, variants and stages, complete. */
export const scaleSchema = z.strictObject({
  seeds: count,
  world: microworldOptionsSchema,
  vocabularySize: count,
  template: templateSchema,
  vision: z.strictObject({ config: partSchema, featureLayer: z.int().optional(), pretraining: pretrainingSchema }),
  language: z.strictObject({ config: partSchema, pretraining: pretrainingSchema }),
  variants: z.record(z.string(), z.looseObject({ type: z.string() })),
  stages: z.array(stageSchema).min(1),
});

/** Something the paper claims, as a comparison of two variants. */
export const claimSchema = z
  .strictObject({
    statement: z.string(),
    better: z.string(),
    worse: z.string(),
    /** The mean over these types of questions is higher. */
    types: z.array(z.string()).min(1).optional(),
    /** The gap is larger on this type than on any other. */
    largestGapOn: z.string().optional(),
  })
  .refine(
    ({ types, largestGapOn }) => (types === undefined) !== (largestGapOn === undefined),
    'needs either types or largestGapOn',
  );

/** A recipe file. */
export const recipeSchema = z
  .strictObject({
    name: z.string(),
    title: z.string(),
    paper: z.strictObject({
      title: z.string(),
      url: z.url(),
      /** Where in the paper the numbers are from. */
      source: z.string(),
      numbers: z.record(z.string(), z.record(z.string(), z.number())),
    }),
    scales: z.strictObject({ mini: scaleSchema }),
    claims: z.array(claimSchema),
  })
  .refine(
    ({ claims, scales }) =>
      claims.every(({ better, worse }) => better in scales.mini.variants && worse in scales.mini.variants),
    { path: ['claims'], message: 'each must compare two variants of the recipe' },
  );

export type Recipe = Readonly<z.output<typeof recipeSchema>>;
export type Scale = Readonly<z.output<typeof scaleSchema>>;
export type StageRecipe = Readonly<z.output<typeof stageSchema>>;
export type Claim = Readonly<z.output<typeof claimSchema>>;
