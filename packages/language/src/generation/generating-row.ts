import type { FinishReason, GeneratedRow } from './generate-options.js';
import type { RowContext } from './logits-processor.js';
import type { GenerationPlan } from './plan.js';
import { stoppedRows } from './stopping.js';
import { type TextStream, textStream } from './text-stream.js';

/** A token of one row, as soon as it is chosen. */
export interface GeneratedToken {
  /** Number of the row: of the prompt, or prompt · numReturnSequences + number of the answer. */
  readonly row: number;
  readonly token: number;
  /**
   * Text that is certain now, perhaps that of earlier tokens, perhaps empty: it has no half characters and nothing that
   * may become a stop string. Without that of the end of sequence. Only with `decode`.
   */
  readonly text?: string;
  /** Of the last token of its row. */
  readonly finishReason?: FinishReason;
}

/** A row that is being written. */
export interface GeneratingRow extends RowContext {
  readonly ids: number[];
  readonly stream: TextStream | undefined;
  text: string;
  finishReason: FinishReason | undefined;
}

/** Rows of a plan before their first token; several of each prompt where several answers are wanted. */
export function newRows({ prompts, config, call }: GenerationPlan): GeneratingRow[] {
  const { decode } = call;
  return prompts.ids.flatMap((prompt, row) =>
    Array.from({ length: config.numReturnSequences }, () => ({
      row,
      ids: [...prompt],
      promptLength: prompt.length,
      stream: decode && textStream(decode, config.stopStrings),
      text: '',
      finishReason: undefined,
    })),
  );
}

/** Puts the chosen tokens behind the rows that have not ended, and decides which of these end. */
export function advance(
  plan: GenerationPlan,
  rows: readonly GeneratingRow[],
  chosen: ArrayLike<number>,
): GeneratedToken[] {
  const going = rows.flatMap((row, index) => (row.finishReason ? [] : [{ row, index, token: chosen[index]! }]));
  const texts = going.map(({ row, token }) => {
    row.ids.push(token);
    const isEnd = plan.eosTokenIds.includes(token);
    const piece = isEnd ? undefined : row.stream?.push(token);
    if (isEnd) row.finishReason = 'eos';
    else if (piece?.isStopped) row.finishReason = 'stop';
    return piece?.text ?? '';
  });
  const { stoppingCriteria = [] } = plan.call;
  if (stoppingCriteria.length > 0) {
    stoppedRows(stoppingCriteria, rows).forEach((isStopped, index) => {
      if (isStopped) rows[index]!.finishReason ??= 'stop';
    });
  }
  return going.map(({ row, index, token }, place): GeneratedToken => {
    if (row.ids.length - row.promptLength === plan.maxNewTokens) row.finishReason ??= 'length';
    const { stream, finishReason } = row;
    const text = texts[place]! + (finishReason && stream ? stream.end() : '');
    row.text += text;
    return { row: index, token, ...(stream ? { text } : {}), ...(finishReason ? { finishReason } : {}) };
  });
}

/** What a row that has ended is returned as. */
export function finishedRow({ ids, promptLength, text, stream, finishReason }: GeneratingRow): GeneratedRow {
  return { tokens: ids.slice(promptLength), finishReason: finishReason!, ...(stream ? { text } : {}) };
}
