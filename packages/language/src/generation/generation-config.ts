import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const id = z.int().nonnegative();
const ids = z.array(id).readonly();
const someIds = z.array(id).nonempty().readonly();
const count = z.int().nonnegative();
const share = z.number().min(0).max(1);

/** What decides how an answer is written. Fields and defaults are those of Hugging Face's `GenerationConfig`. */
const schema = z
  .strictObject({
    /** Tokens of prompt and answer together, padding included. Only without `maxNewTokens`. */
    maxLength: z.int().positive().default(20),
    /** Tokens a row gets at most. */
    maxNewTokens: z.int().positive().optional(),
    /** Tokens of prompt and answer together before which no end of sequence is chosen. */
    minLength: count.default(0),
    /** Tokens of the answer before which no end of sequence is chosen. */
    minNewTokens: count.optional(),
    /** Texts that end a row. They need `decode`. */
    stopStrings: z
      .union([z.string().min(1), z.array(z.string().min(1)).readonly()])
      .default([])
      .transform((texts) => (typeof texts === 'string' ? [texts] : texts)),
    /** Tokens are drawn at random; otherwise the likeliest ones are taken. */
    doSample: z.boolean().default(false),
    /** Sequences that beam search follows; 1 is no beam search. */
    numBeams: z.int().positive().default(1),
    /** Beam search ends with `numBeams` complete answers; by a heuristic; or when no better one is possible. */
    earlyStopping: z.union([z.boolean(), z.literal('never')]).default(false),
    /** Answers of beam search are compared by log-probability / length^lengthPenalty: above 0 it promotes long ones. */
    lengthPenalty: z.number().default(1),
    /** Answers to each prompt: several samples, or the best beams. */
    numReturnSequences: z.int().positive().default(1),
    /** Keys and values of earlier tokens are kept; otherwise all is computed again for each token. */
    useCache: z.boolean().default(true),
    /** Divides the scores before sampling. */
    temperature: z.number().nonnegative().default(1),
    /** Only so many tokens are drawn from; 0 for all. */
    topK: count.default(50),
    /** Only the likeliest tokens of this probability together are drawn from. */
    topP: share.default(1),
    /** Only tokens of this share of the likeliest one's probability are drawn from. */
    minP: share.optional(),
    /** Only the most typical tokens of this probability together are drawn from. */
    typicalP: share.default(1),
    /** Only tokens of this probability are drawn from. */
    epsilonCutoff: share.default(0),
    /** As `epsilonCutoff`, lower where the next token is uncertain. */
    etaCutoff: share.default(0),
    /** Above 1, tokens that the row has already become less likely. */
    repetitionPenalty: z.number().positive().default(1),
    /** Above 1, tokens of the prompt become more likely. */
    encoderRepetitionPenalty: z.number().positive().default(1),
    /** So many successive tokens occur once at most; 0 for no limit. */
    noRepeatNgramSize: count.default(0),
    /** Sequences of tokens that do not occur. */
    badWordsIds: z.array(someIds).readonly().default([]),
    /** What is added to the score of a sequence's last token where the others precede it. */
    sequenceBias: z
      .array(z.tuple([someIds, z.number()]).readonly())
      .readonly()
      .default([]),
    /** Scores are log-probabilities again after all changes; for beam search. */
    renormalizeLogits: z.boolean().default(false),
    /** The first token of a row of one token. */
    forcedBosTokenId: id.optional(),
    /** The last token of a row of the greatest length. */
    forcedEosTokenId: z.union([id, ids]).optional(),
    /** Scores that are infinite or no numbers are replaced. */
    removeInvalidValues: z.boolean().default(false),
    /** After so many new tokens the end becomes more likely, by this factor for each further one. */
    exponentialDecayLengthPenalty: z.tuple([count, z.number().positive()]).readonly().optional(),
    /** Tokens that are never chosen. */
    suppressTokens: ids.default([]),
    /** Tokens that are not chosen first. */
    beginSuppressTokens: ids.default([]),
    /** What rows that ended read on. Default: the model's, else the first end of sequence, else 0. */
    padTokenId: id.optional(),
    /** The begin of sequence; here only read and kept. */
    bosTokenId: id.optional(),
    /** A row ends with this token, or any of these. */
    eosTokenId: z.union([id, ids]).optional(),
  })
  .refine(({ doSample, temperature }) => !doSample || temperature > 0, {
    path: ['temperature'],
    message: 'must be above 0 for sampling; take doSample: false for the likeliest tokens',
  })
  .refine(
    ({ doSample, numBeams, numReturnSequences }) => numReturnSequences <= numBeams || (doSample && numBeams === 1),
    {
      path: ['numReturnSequences'],
      message: 'must not exceed numBeams, or needs doSample without beams',
    },
  );

/** A complete {@link GenerationConfigInput}. */
export type GenerationConfig = Readonly<z.output<typeof schema>>;

/** How an answer is written; every field may be left out. Fields are those of Hugging Face's `GenerationConfig`. */
export type GenerationConfigInput = Readonly<z.input<typeof schema>>;

/**
 * Merges settings, later ones over earlier ones, and fills in the defaults. Fields that are undefined override nothing.
 *
 * @param settings a checkpoint's, then those of the call, say
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseGenerationConfig(...settings: readonly GenerationConfigInput[]): GenerationConfig {
  return parseConfig('generate', schema, Object.assign({}, ...settings.map(givenFields)));
}

function givenFields(settings: GenerationConfigInput): GenerationConfigInput {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
