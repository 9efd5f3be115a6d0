import { LoaderError } from './loader-error.js';

export interface GroupByLengthOptions {
  /** Samples of a micro-batch. */
  readonly batchSize: number;
  /** Micro-batches that make one optimiser step: processes times gradient accumulation. */
  readonly batchesPerStep: number;
  /** A permutation of 0 … size − 1 for each of the draws, in a fixed order of their names. */
  readonly permute: (size: number, draw: 'withImages' | 'textOnly' | 'steps') => readonly number[];
}

/**
 * Orders samples so that those of one optimiser step either all have images or none has, and its micro-batches have about
 * the same sum of lengths, which processes that train together need to finish at the same time. Of both kinds the last
 * step, full or not, goes to the end, where the two are joined in the order of the data set.
 *
 * Where no sample has images the published code sorts and sums the negative lengths as they are, and its micro-batches
 * come out uneven; so do these.
 *
 * Source: haotian-liu/LLaVA `llava/train/llava_trainer.py`, `get_modality_length_grouped_indices`; ConvLLaVA and
 * LLaVA-OV-Manager train with it.
 *
 * @param lengths of the samples, positive with images and negative without; the published code counts words
 * @returns the samples' indices in their new order
 * @throws LoaderError if a length is zero or no integer
 */
export function groupByLength(
  lengths: readonly number[],
  { batchSize, batchesPerStep, permute }: GroupByLengthOptions,
): number[] {
  checkLengths(lengths);
  const stepSize = batchSize * batchesPerStep;
  const withImages = indicesWhere(lengths, (length) => length > 0);
  const textOnly = indicesWhere(lengths, (length) => length < 0);
  const arrange = (indices: readonly number[], sizes: readonly number[], draw: 'withImages' | 'textOnly') =>
    steps(sizes, stepSize, batchesPerStep, permute(indices.length, draw)).map((step) =>
      step.map((place) => indices[place]!),
    );
  if (withImages.length === 0 || textOnly.length === 0) {
    return arrange([...lengths.keys()], lengths, textOnly.length === 0 ? 'withImages' : 'textOnly').flat();
  }
  const kinds = [
    arrange(
      withImages,
      withImages.map((index) => lengths[index]!),
      'withImages',
    ),
    arrange(
      textOnly,
      textOnly.map((index) => -lengths[index]!),
      'textOnly',
    ),
  ];
  const full = kinds.flatMap((kind) => kind.slice(0, -1));
  const rest = kinds.flatMap((kind) => kind.at(-1)!).sort((a, b) => a - b);
  return [...permute(full.length, 'steps').flatMap((place) => full[place]!), ...rest];
}

/** Cuts an order into steps and sorts each: places among `lengths`, the micro-batches of a step one after another. */
function steps(
  lengths: readonly number[],
  stepSize: number,
  batchesPerStep: number,
  order: readonly number[],
): number[][] {
  const result: number[][] = [];
  for (let start = 0; start < order.length; start += stepSize) {
    const step = order.slice(start, start + stepSize).sort((a, b) => lengths[b]! - lengths[a]!);
    result.push(dealOut(step, lengths, batchesPerStep).flat());
  }
  return result;
}

/** Deals samples out to as many hands of the same number: each to the hand with the least sum so far that is not full. */
function dealOut(step: readonly number[], lengths: readonly number[], hands: number): number[][] {
  const dealt = Array.from({ length: hands }, (): number[] => []);
  if (step.length % hands !== 0) {
    for (const [position, place] of step.entries()) dealt[position % hands]!.push(place);
    return dealt;
  }
  const sums = new Array<number>(hands).fill(0);
  for (const place of step) {
    let hand = 0;
    for (let other = 1; other < hands; other++) if (sums[other]! < sums[hand]!) hand = other;
    dealt[hand]!.push(place);
    const isFull = dealt[hand]!.length === step.length / hands;
    sums[hand] = isFull ? Number.POSITIVE_INFINITY : sums[hand]! + lengths[place]!;
  }
  return dealt;
}

function indicesWhere(lengths: readonly number[], matches: (length: number) => boolean): number[] {
  return [...lengths.keys()].filter((index) => matches(lengths[index]!));
}

function checkLengths(lengths: readonly number[]): void {
  const index = lengths.findIndex((length) => !Number.isInteger(length) || length === 0);
  if (index === -1) return;
  throw new LoaderError({
    operation: 'groupByLength',
    expected: 'lengths that are integers other than zero: positive with images, negative without',
    received: `${lengths[index]} of sample ${index}`,
    remedy: 'remove samples without text, or give their lengths',
    value: lengths[index],
  });
}
