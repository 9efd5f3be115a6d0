import { type BeamHypotheses, beamHypotheses, type Hypothesis } from './beam-hypotheses.js';
import { prefillCopies } from './decoder-session.js';
import type { GeneratedRow } from './generate-options.js';
import type { LogitsProcessor, RowContext } from './logits-processor.js';
import { processorsAt } from './logits-processors.js';
import type { GenerationPlan } from './plan.js';
import { requireCandidates, sampleTokens, samplingKeys } from './sampling.js';
import { kthLargest } from './selection.js';
import { stoppedRows, stopStringCriterion } from './stopping.js';
import { textStream } from './text-stream.js';
import { logSoftmax } from './warpers.js';

/** A sequence that is followed. */
interface Beam extends RowContext {
  readonly logProbability: number;
}

/** What a beam may go on with. */
interface Candidate {
  /** Number of the beam among those of its prompt. */
  readonly beam: number;
  readonly token: number;
  readonly logProbability: number;
}

/** A prompt with its beams. */
interface Search {
  beams: readonly Beam[];
  readonly hypotheses: BeamHypotheses;
  isDone: boolean;
}

/**
 * Beam search, with the choices of Hugging Face's `generate` (transformers 4.46, `_beam_search` and
 * `BeamSearchScorer`); with `doSample`, candidates are drawn at random instead of being the best ones.
 *
 * An end of sequence closes a sequence only if it is among the best `numBeams` candidates; the ids of several ends of
 * sequence all read as the first one in what is returned.
 *
 * @returns `numReturnSequences` answers to each prompt, the best one first
 * @throws ConfigError if no beam of a prompt has a token left to choose
 */
export async function beamSearch(plan: GenerationPlan): Promise<GeneratedRow[]> {
  const { config, prompts, processors, padTokenId, call, maxNewTokens } = plan;
  const { numBeams } = config;
  const searches = prompts.ids.map((ids, row): Search => {
    // One beam counts at first: they are all the same.
    const beams = Array.from({ length: numBeams }, (_, beam) => ({
      row,
      ids,
      promptLength: ids.length,
      logProbability: beam === 0 ? 0 : -1e9,
    }));
    return { beams, hypotheses: beamHypotheses({ ...config, maxNewTokens }), isDone: false };
  });
  const candidatesOf = candidateChooser(plan);
  const session = plan.openSession();
  try {
    call.signal?.throwIfAborted();
    let logits = await prefillCopies(session, prompts.input, numBeams);
    for (let step = 0; ; step++) {
      const active = processorsAt(processors, step);
      const values = await logits.values();
      const size = values.length / searches.length;
      const origins = searches.flatMap((search, index) => {
        const first = index * numBeams;
        if (search.isDone) return search.beams.map((_, beam) => first + beam);
        const candidates = candidatesOf(search, values.subarray(index * size, (index + 1) * size), active, step);
        return advance(plan, search, candidates).map((beam) => first + beam);
      });
      if (step + 1 === maxNewTokens || hasEnded(plan, searches)) break;
      call.signal?.throwIfAborted();
      await session.reorder(Int32Array.from(origins));
      const newest = searches.flatMap(({ beams, isDone }) =>
        beams.map(({ ids }) => (isDone ? padTokenId : ids.at(-1)!)),
      );
      logits = await session.step(Int32Array.from(newest));
    }
  } finally {
    session.close();
  }
  return searches.flatMap((search) => {
    if (!search.isDone) closeAll(search);
    return search.hypotheses.best(config.numReturnSequences).map((hypothesis) => resultOf(plan, hypothesis));
  });
}

type CandidateChooser = (
  search: Search,
  values: Float32Array,
  processors: readonly LogitsProcessor[],
  step: number,
) => Candidate[];

/** Scores all continuations of a prompt's beams, and chooses so many that enough of them do not end. */
function candidateChooser({ config, eosTokenIds, call }: GenerationPlan): CandidateChooser {
  const keyOf = samplingKeys(call.seed ?? 0);
  const count = Math.max(2, 1 + eosTokenIds.length) * config.numBeams;
  return ({ beams }, values, processors, step) => {
    const vocabSize = values.length / beams.length;
    beams.forEach((beam, index) => {
      const scores = values.subarray(index * vocabSize, (index + 1) * vocabSize);
      logSoftmax(scores, beam);
      for (const process of processors) process(scores, beam);
      for (let id = 0; id < vocabSize; id++) scores[id]! += beam.logProbability;
    });
    const chosen = config.doSample ? sampleTokens(values, count, keyOf(beams[0]!.row, step)) : largest(values, count);
    requireCandidates(chosen.length > 0);
    return chosen
      .sort((a, b) => values[b]! - values[a]! || a - b)
      .slice(0, count)
      .map((place) => ({
        beam: Math.floor(place / vocabSize),
        token: place % vocabSize,
        logProbability: values[place]!,
      }));
  };
}

/** Places of the largest values, at least `count` where so many are more than −∞. */
function largest(values: Float32Array, count: number): number[] {
  const lowest = kthLargest(values, count);
  const places: number[] = [];
  for (let place = 0; place < values.length; place++) {
    if (values[place]! >= lowest && values[place]! > Number.NEGATIVE_INFINITY) places.push(place);
  }
  return places;
}

/**
 * Closes the sequences that end and continues with the best others.
 *
 * @returns the beam that each of the new ones continues
 */
function advance(
  { config, eosTokenIds, padTokenId }: GenerationPlan,
  search: Search,
  candidates: readonly Candidate[],
): number[] {
  const { numBeams } = config;
  const { beams, hypotheses } = search;
  const length = beams[0]!.ids.length - beams[0]!.promptLength + 1;
  const next: Candidate[] = [];
  candidates.forEach((candidate, rank) => {
    if (next.length === numBeams) return;
    if (!eosTokenIds.includes(candidate.token)) next.push(candidate);
    else if (rank < numBeams) {
      const tokens = newTokens(beams[candidate.beam]!);
      hypotheses.add(tokens, { isEnded: true, logProbability: candidate.logProbability, length });
    }
  });
  // Where tokens are banned there may be fewer continuations than beams.
  while (next.length < numBeams) next.push({ beam: 0, token: padTokenId, logProbability: Number.NEGATIVE_INFINITY });
  search.beams = next.map(({ beam, token, logProbability }) => {
    const { ids, ...context } = beams[beam]!;
    return { ...context, ids: [...ids, token], logProbability };
  });
  search.isDone = hypotheses.isDone(candidates[0]!.logProbability, length);
  return next.map(({ beam }) => beam);
}

/** Whether all prompts are done, or all beams of the others are stopped. */
function hasEnded({ config, call }: GenerationPlan, searches: readonly Search[]): boolean {
  const open = searches.filter(({ isDone }) => !isDone).flatMap(({ beams }) => beams);
  const { stopStrings } = config;
  const ofStrings = stopStrings.length > 0 ? [stopStringCriterion(call.decode!, stopStrings)] : [];
  return stoppedRows([...ofStrings, ...(call.stoppingCriteria ?? [])], open).every(Boolean);
}

/** Sequences that have not ended compete as they are. */
function closeAll({ beams, hypotheses }: Search): void {
  for (const beam of beams) {
    const tokens = newTokens(beam);
    hypotheses.add(tokens, { isEnded: false, logProbability: beam.logProbability, length: tokens.length });
  }
}

function newTokens({ ids, promptLength }: RowContext): number[] {
  return ids.slice(promptLength);
}

function resultOf(
  { config, eosTokenIds, maxNewTokens, call }: GenerationPlan,
  { tokens, isEnded, score }: Hypothesis,
): GeneratedRow {
  const finishReason = isEnded ? 'eos' : tokens.length === maxNewTokens ? 'length' : 'stop';
  const result = { tokens: isEnded ? [...tokens, eosTokenIds[0]!] : tokens, finishReason, score } as const;
  if (!call.decode) return result;
  const stream = textStream(call.decode, config.stopStrings);
  let text = '';
  for (const token of tokens) {
    const piece = stream.push(token);
    text += piece.text;
    if (piece.isStopped) return { ...result, text };
  }
  return { ...result, text: text + stream.end() };
}
