import { ConfigError, gather, reshape, type Tensor, tensor } from '@ocelli/core-tensor';
import type { LlamaConfig } from '../llama/config.js';
import { sequenceSize, type TokenInput } from '../llama/input.js';

/** Prompts of a batch, as the host knows them. */
export interface Prompts {
  /** With a token at the end of every row. */
  readonly input: TokenInput;
  readonly batch: number;
  /** Tokens of a row, padding included. */
  readonly tokens: number;
  /** Tokens of each row, padding not counted. */
  readonly lengths: readonly number[];
  /** Ids of each row, padding included; empty for prompts given as vectors. */
  readonly ids: readonly (readonly number[])[];
}

/**
 * Prompts with a token at the end of every row: what is padded on the right is moved.
 *
 * @throws ConfigError if there is no prompt, a row has no token, an id is none of the vocabulary's, the mask has other
 *   values than 0 and 1, or not exactly one of `inputIds` and `inputsEmbeds` is given
 * @throws ShapeError if the inputs do not fit each other
 */
export async function leftPadded(
  operation: string,
  config: Pick<LlamaConfig, 'hiddenSize' | 'vocabSize'>,
  input: TokenInput,
): Promise<Prompts> {
  const { inputIds, inputsEmbeds, attentionMask, visualMask } = input;
  const [batch, tokens] = sequenceSize(operation, input, config.hiddenSize);
  if (batch === 0 || tokens === 0) {
    throw new ConfigError({
      operation,
      expected: 'at least one prompt, and a token in each',
      received: `${batch} prompts of ${tokens} tokens`,
    });
  }
  const masks = attentionMask ? await rowsOf(attentionMask) : [];
  masks.forEach((mask, row) => {
    checkMask(operation, mask, row);
  });
  const lengths = Array.from(
    { length: batch },
    (_, row) => masks[row]?.filter((value) => value === 1).length ?? tokens,
  );
  const given = inputIds && (await rowsOf(inputIds));
  given?.forEach((ids, row) => {
    checkIds(operation, config.vocabSize, ids, row, masks[row]);
  });
  const moves = masks.map((mask) => tokens - 1 - mask.lastIndexOf(1));
  if (moves.every((move) => move === 0)) return { input, batch, tokens, lengths, ids: given ?? lengths.map(() => []) };

  // Padding behind the tokens of a row comes to its front.
  const moved = <T>(rows: readonly (readonly T[])[]) =>
    rows.map((row, index) => [...row.slice(tokens - moves[index]!), ...row.slice(0, tokens - moves[index]!)]);
  const ids = given && moved(given);
  const places = moved(masks.map((mask, row) => mask.map((_, place) => row * tokens + place)));
  return {
    input: {
      inputIds: ids && tensor(Int32Array.from(ids.flat()), [batch, tokens]),
      inputsEmbeds: inputsEmbeds && atPlaces(inputsEmbeds, places.flat()),
      attentionMask: tensor(Int32Array.from(moved(masks).flat()), [batch, tokens]),
      visualMask: visualMask && atPlaces(visualMask, places.flat()),
    },
    batch,
    tokens,
    lengths,
    ids: ids ?? lengths.map(() => []),
  };
}

/** Whether no row has padding behind its tokens. */
export async function isLeftPadded({ attentionMask }: TokenInput): Promise<boolean> {
  return attentionMask === undefined || (await rowsOf(attentionMask)).every((row) => row.at(-1) !== 0);
}

/** Values of a tensor [batch, tokens], row by row. */
export async function rowsOf(x: Tensor): Promise<number[][]> {
  const [batch, tokens] = x.shape as [number, number];
  const values = Array.from((await x.data()) as ArrayLike<number | bigint>, Number);
  return Array.from({ length: batch }, (_, row) => values.slice(row * tokens, (row + 1) * tokens));
}

/** A mask [batch, tokens] of ids that are padded with an id. */
export async function maskOfPadding(ids: Tensor, padTokenId: number): Promise<Tensor> {
  const rows = await rowsOf(ids);
  return tensor(
    Int32Array.from(rows.flat(), (id) => (id === padTokenId ? 0 : 1)),
    ids.shape,
  );
}

function checkIds(
  operation: string,
  vocabSize: number,
  ids: readonly number[],
  row: number,
  mask: readonly number[] | undefined,
): void {
  const wrong = ids.findIndex((id, place) => mask?.[place] !== 0 && !(id >= 0 && id < vocabSize));
  if (wrong < 0) return;
  throw new ConfigError({
    operation,
    expected: `token ids from 0 to ${vocabSize - 1}`,
    received: `${ids[wrong]} at place ${wrong} of row ${row}`,
    remedy: "Use this model's tokenizer; a prompt with images is given as inputsEmbeds.",
  });
}

function checkMask(operation: string, mask: readonly number[], row: number): void {
  const other = mask.find((value) => value !== 0 && value !== 1);
  if (other === undefined && mask.includes(1)) return;
  throw new ConfigError({
    operation,
    expected: 'an attentionMask with 1 for each token, 0 for padding, and a token in each row',
    received: other === undefined ? `no token in row ${row}` : `${other} in row ${row}`,
  });
}

/** x [batch, tokens, ...] with its places in another order. */
function atPlaces(x: Tensor, places: readonly number[]): Tensor {
  const [batch, tokens, ...others] = x.shape as [number, number, ...number[]];
  return reshape(gather(reshape(x, [batch * tokens, ...others]), Int32Array.from(places)), x.shape);
}
