/** One learned merge: the two symbols that become one. */
export type Merge = readonly [left: string, right: string];

interface Word {
  symbols: string[];
  readonly count: number;
}

interface PairStatistics {
  count: number;
  /** Words that hold the pair, or held it once. */
  readonly words: Set<number>;
}

/** Symbols of a byte-level alphabet never contain a space, so it can separate the two halves of a pair. */
const SEPARATOR = ' ';

/**
 * Learns the merges of byte-pair encoding (Sennrich et al., 2016): again and again the most frequent adjacent pair of
 * symbols becomes one symbol. Pairs of equal frequency are taken in the order of their code units, so that the result
 * depends on nothing but the counts.
 *
 * @param wordCounts how often each pre-token occurs; its characters are the first symbols
 * @param newSymbols stop after this many symbols that did not exist before
 * @param minimumFrequency pairs seen less often are never merged
 */
export function trainMerges(
  wordCounts: ReadonlyMap<string, number>,
  newSymbols: number,
  minimumFrequency: number,
): Merge[] {
  const words: Word[] = [];
  for (const [text, count] of wordCounts) words.push({ symbols: Array.from(text), count });

  const pairs = new Map<string, PairStatistics>();
  const add = (index: number, left: string, right: string, count: number): void => {
    const key = left + SEPARATOR + right;
    const pair = pairs.get(key);
    if (pair === undefined) {
      pairs.set(key, { count, words: new Set([index]) });
    } else {
      pair.count += count;
      if (pair.count === 0) pairs.delete(key);
      else pair.words.add(index);
    }
  };
  const forEachPair = (index: number, sign: 1 | -1): void => {
    const { symbols, count } = words[index]!;
    for (let position = 1; position < symbols.length; position++) {
      add(index, symbols[position - 1]!, symbols[position]!, sign * count);
    }
  };
  for (let index = 0; index < words.length; index++) forEachPair(index, 1);

  const merges: Merge[] = [];
  const learned = new Set<string>();
  while (learned.size < newSymbols) {
    const best = mostFrequent(pairs, minimumFrequency);
    if (best === undefined) break;
    const [left, right] = best.split(SEPARATOR) as [string, string];
    merges.push([left, right]);
    learned.add(left + right);
    for (const index of [...pairs.get(best)!.words]) {
      forEachPair(index, -1);
      words[index]!.symbols = mergeSymbols(words[index]!.symbols, left, right);
      forEachPair(index, 1);
    }
  }
  return merges;
}

function mostFrequent(pairs: ReadonlyMap<string, PairStatistics>, minimumFrequency: number): string | undefined {
  let best: string | undefined;
  let bestCount = minimumFrequency;
  for (const [key, { count }] of pairs) {
    if (count < bestCount) continue;
    if (count > bestCount || best === undefined || key < best) {
      best = key;
      bestCount = count;
    }
  }
  return best;
}

function mergeSymbols(symbols: readonly string[], left: string, right: string): string[] {
  const merged: string[] = [];
  for (let position = 0; position < symbols.length; position++) {
    if (symbols[position] === left && symbols[position + 1] === right) {
      merged.push(left + right);
      position++;
    } else {
      merged.push(symbols[position]!);
    }
  }
  return merged;
}
