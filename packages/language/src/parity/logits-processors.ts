import {
  ConfigError,
  compareWithFixture,
  type Fixture,
  type ParityCheck,
  parseConfig,
  tensor,
  toTensor,
  worstOf,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import type { LogitsProcessor } from '../generation/logits-processor.js';
import * as penalties from '../generation/penalties.js';
import { rowsOf } from '../generation/prompt.js';
import { candidatesOf, exponentials } from '../generation/selection.js';
import * as warpers from '../generation/warpers.js';

const ids = z.union([z.number(), z.array(z.number())]).transform((given) => [given].flat());

/** Arguments of the published classes. Those that are lengths of sequences count from the prompt's beginning. */
const argumentsSchema = z.object({
  penalty: z.number().optional(),
  ngram_size: z.number().optional(),
  bad_words_ids: z.array(z.array(z.number())).optional(),
  sequence_bias: z.array(z.tuple([z.array(z.number()), z.number()])).optional(),
  min_length: z.number().optional(),
  min_new_tokens: z.number().optional(),
  prompt_length_to_skip: z.number().default(0),
  max_length: z.number().optional(),
  bos_token_id: z.number().optional(),
  eos_token_id: ids.default([]),
  exponential_decay_length_penalty: z.tuple([z.number(), z.number()]).optional(),
  input_ids_seq_length: z.number().default(0),
  suppress_tokens: ids.optional(),
  begin_suppress_tokens: ids.optional(),
  begin_index: z.number().optional(),
  temperature: z.number().optional(),
  top_k: z.number().optional(),
  top_p: z.number().optional(),
  min_p: z.number().optional(),
  mass: z.number().optional(),
  epsilon: z.number().optional(),
  min_tokens_to_keep: z.number().default(1),
});

type Arguments = z.output<typeof argumentsSchema>;

/** The published classes by name. */
const classes: Readonly<Record<string, (given: Arguments) => LogitsProcessor>> = {
  RepetitionPenaltyLogitsProcessor: ({ penalty }) => penalties.repetitionPenalty(penalty!),
  NoRepeatNGramLogitsProcessor: ({ ngram_size }) => penalties.noRepeatNGram(ngram_size!),
  NoBadWordsLogitsProcessor: ({ bad_words_ids, eos_token_id }) => penalties.badWords(bad_words_ids!, eos_token_id),
  SequenceBiasLogitsProcessor: ({ sequence_bias }) => penalties.sequenceBias(sequence_bias!),
  MinLengthLogitsProcessor: ({ min_length, eos_token_id }) => penalties.minLength(min_length!, eos_token_id),
  MinNewTokensLengthLogitsProcessor: ({ min_new_tokens, eos_token_id }) =>
    penalties.minNewTokens(min_new_tokens!, eos_token_id),
  ForcedBOSTokenLogitsProcessor: ({ bos_token_id }) => penalties.forcedBos(bos_token_id!),
  ForcedEOSTokenLogitsProcessor: ({ max_length, eos_token_id }) => penalties.forcedEos(max_length!, eos_token_id),
  InfNanRemoveLogitsProcessor: () => penalties.finiteScores,
  ExponentialDecayLengthPenalty: ({ exponential_decay_length_penalty: decay, eos_token_id }) =>
    penalties.exponentialDecay(decay![0], decay![1], eos_token_id),
  SuppressTokensLogitsProcessor: ({ suppress_tokens }) => penalties.suppressTokens(suppress_tokens!),
  SuppressTokensAtBeginLogitsProcessor: ({ begin_suppress_tokens, begin_index }) =>
    penalties.suppressAtBegin(begin_suppress_tokens!, begin_index!),
  TemperatureLogitsWarper: ({ temperature }) => warpers.temperature(temperature!),
  TopKLogitsWarper: ({ top_k, min_tokens_to_keep }) => warpers.topK(top_k!, min_tokens_to_keep),
  TopPLogitsWarper: ({ top_p, min_tokens_to_keep }) => warpers.topP(top_p!, min_tokens_to_keep),
  MinPLogitsWarper: ({ min_p, min_tokens_to_keep }) => warpers.minP(min_p!, min_tokens_to_keep),
  TypicalLogitsWarper: ({ mass, min_tokens_to_keep }) => warpers.typical(mass!, min_tokens_to_keep),
  EpsilonLogitsWarper: ({ epsilon, min_tokens_to_keep }) => warpers.epsilonCutoff(epsilon!, min_tokens_to_keep),
  EtaLogitsWarper: ({ epsilon, min_tokens_to_keep }) => warpers.etaCutoff(epsilon!, min_tokens_to_keep),
  LogitNormalization: () => warpers.logSoftmax,
};

const cases = z.object({ cases: z.record(z.string(), z.array(z.tuple([z.string(), argumentsSchema]))) });

/** Chains of processors on rows of scores, and the probabilities that they leave. */
export const checkLogitsProcessors: ParityCheck = async (fixture: Fixture) => {
  const config = parseConfig('logits_processors fixture', cases, fixture.config);
  const results = Object.entries(config.cases).map(async ([name, chain]) => {
    const read = (input: string) =>
      toTensor(fixture.tensors.get(`in.${name}.${input}`) ?? fixture.tensors.get(`in.${input}`)!);
    const scores = read('scores');
    const [count, vocabSize] = scores.shape as [number, number];
    const processed = Float32Array.from((await scores.data()) as Float32Array);
    const probabilities = new Float32Array(processed.length);
    (await rowsOf(read('input_ids'))).forEach((row, index) => {
      const here = [index * vocabSize, (index + 1) * vocabSize] as const;
      const values = processed.subarray(...here);
      for (const [className, given] of chain) {
        const promptLength = given.prompt_length_to_skip || given.input_ids_seq_length;
        processorOf(className, given)(values, { row: index, ids: row, promptLength });
      }
      const masses = probabilities.subarray(...here);
      const total = exponentials(values, candidatesOf(values).highest, masses);
      masses.forEach((mass, id) => {
        masses[id] = mass / total;
      });
    });
    const outputs = {
      [name]: tensor(processed, [count, vocabSize]),
      [`${name}.probs`]: tensor(probabilities, [count, vocabSize]),
    };
    const own = [...fixture.tensors].filter(([key]) => !key.startsWith('out.') || key.slice(4) in outputs);
    return compareWithFixture({ ...fixture, tensors: new Map(own) }, { outputs });
  });
  return worstOf(await Promise.all(results));
};

function processorOf(className: string, given: Arguments): LogitsProcessor {
  const make = Object.hasOwn(classes, className) ? classes[className] : undefined;
  if (make) return make(given);
  throw new ConfigError({
    operation: 'logits_processors fixture',
    expected: `one of ${Object.keys(classes).join(', ')}`,
    received: className,
  });
}
