import { createHash } from 'node:crypto';
import { z } from 'zod';
import { MicroworldError } from './microworld-error.js';
import { QUESTION_TYPES, type QuestionType } from './question.js';
import { sceneOptions, sceneOptionsSchema } from './scene-options.js';

/** Changes whenever the same options give other files; part of a dataset's hash. */
export const MICROWORLD_VERSION = 2;

/** The three splits, in the order in which they are written. */
export const MICROWORLD_SPLITS = ['train', 'validation', 'test'] as const;
export type MicroworldSplit = (typeof MICROWORLD_SPLITS)[number];

/** The sentence LLaVA appends to questions with short answers; a value for `answerInstruction`. */
export const SHORT_ANSWER_INSTRUCTION = 'Answer the question using a single word or phrase.';

const sceneCount = z.number().int().min(0).max(999_999);

/** What {@link generateMicroworld} accepts, apart from how it runs. */
export const microworldOptionsSchema = z.strictObject({
  /** The same seed and options give the same dataset. */
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** Side of the square pictures in pixels. */
  imageSize: z.number().int().min(16).max(4096).default(64),
  /** Number of scenes, each with one picture. */
  scenes: z
    .strictObject({ train: sceneCount, validation: sceneCount.default(0), test: sceneCount.default(0) })
    .refine(({ train, validation, test }) => train + validation + test > 0, 'at least one scene is needed'),
  /** Questions in the conversation about a picture; fewer where a scene answers fewer of the given types. */
  questionsPerScene: z.number().int().min(1).max(16).default(1),
  questionTypes: z
    .array(z.enum(QUESTION_TYPES))
    .min(1)
    .refine((types) => new Set(types).size === types.length, 'question types must differ')
    .default(QUESTION_TYPES.filter((type) => type !== 'verification')),
  /** `sentences`, or only their `keywords`, except for box and caption; benchmark files always have sentences. */
  wording: z.enum(['sentences', 'keywords']).default('sentences'),
  /** Appended on a line of its own to questions of the conversations, except box and caption; none if empty. */
  answerInstruction: z.string().max(1000).default(''),
  /** What scenes look like; see {@link sceneOptionsSchema}. */
  scene: sceneOptionsSchema.default(() => sceneOptions()),
});

/** Options of a dataset with all defaults filled in. */
export type MicroworldOptions = Readonly<z.output<typeof microworldOptionsSchema>>;

/** Options of a dataset; all but the seed and the number of scenes have defaults. */
export type MicroworldOptionsInput = z.input<typeof microworldOptionsSchema>;

const CONTENT_NEEDED: Partial<Record<QuestionType, 'text' | 'chart' | 'shapes'>> = {
  reading: 'text',
  chart: 'chart',
  neighbour: 'shapes',
};

/**
 * Validates options of a dataset and fills in defaults.
 *
 * @throws MicroworldError naming the option that is unknown, out of range or does not fit the others
 */
export function microworldOptions(input: MicroworldOptionsInput): MicroworldOptions {
  const parsed = microworldOptionsSchema.safeParse(input);
  if (!parsed.success) throw MicroworldError.fromIssue('microworldOptions', parsed.error.issues[0]!);
  const options = { ...parsed.data, scene: sceneOptions(parsed.data.scene) };
  for (const type of options.questionTypes) {
    const needed = CONTENT_NEEDED[type];
    if (needed === undefined || options.scene.content === 'any' || options.scene.content === needed) continue;
    throw new MicroworldError({
      operation: 'microworldOptions',
      expected: `scene.content "${needed}" or "any" for questions of type "${type}"`,
      received: `"${options.scene.content}"`,
      remedy: 'change the content or leave out the type',
      option: 'scene.content',
      value: options.scene.content,
    });
  }
  return options;
}

/** Identifies a dataset: SHA-256 of the version and all options. */
export function microworldHash(options: MicroworldOptions): string {
  return createHash('sha256')
    .update(canonicalJson({ version: MICROWORLD_VERSION, options }))
    .digest('hex');
}

/** JSON with sorted keys, so that equal values have equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
