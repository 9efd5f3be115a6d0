import { type Logits, prefillCopies } from './decoder-session.js';
import type { GeneratedRow } from './generate-options.js';
import { advance, finishedRow, type GeneratedToken, type GeneratingRow, newRows } from './generating-row.js';
import { processorsAt } from './logits-processors.js';
import type { GenerationPlan } from './plan.js';
import { likeliestToken, sampleToken, samplingKeys } from './sampling.js';

/**
 * Greedy decoding and sampling: a token for every row that has not ended, step by step.
 *
 * @returns all rows, after the last step
 */
export async function* decodeRows(plan: GenerationPlan): AsyncGenerator<GeneratedToken[], GeneratedRow[]> {
  const { config, prompts, padTokenId, call } = plan;
  const rows = newRows(plan);
  const choose = chooser(plan, rows);
  const session = plan.openSession();
  try {
    call.signal?.throwIfAborted();
    let logits = await prefillCopies(session, prompts.input, config.numReturnSequences);
    for (let step = 0; ; step++) {
      yield advance(plan, rows, await choose(logits, step));
      if (rows.every(({ finishReason }) => finishReason)) return rows.map(finishedRow);
      call.signal?.throwIfAborted();
      const newest = rows.map(({ ids, finishReason }) => (finishReason ? padTokenId : ids.at(-1)!));
      logits = await session.step(Int32Array.from(newest));
    }
  } finally {
    session.close();
  }
}

/** Chooses a token for each row that has not ended; what it says of the others is of no use. */
function chooser(
  { config, processors, call }: GenerationPlan,
  rows: readonly GeneratingRow[],
): (logits: Logits, step: number) => Promise<ArrayLike<number>> {
  const keyOf = samplingKeys(call.seed ?? 0);
  return async (logits, step) => {
    const active = processorsAt(processors, step);
    if (active.length === 0 && !config.doSample) return logits.likeliest();
    const values = await logits.values();
    const vocabSize = values.length / rows.length;
    return rows.map((row, index) => {
      if (row.finishReason) return -1;
      const scores = values.subarray(index * vocabSize, (index + 1) * vocabSize);
      for (const process of active) process(scores, row);
      return config.doSample ? sampleToken(scores, keyOf(index, step)) : likeliestToken(scores);
    });
  };
}
