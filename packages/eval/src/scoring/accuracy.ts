import { OcelliError } from '@ocelli/core-tensor';
import { normalizeAnswer, type ScoredQuestion } from './answers.js';

/** Share of right answers, 0 … 1, by type of question and over all types. */
export interface Accuracy {
  readonly byType: Readonly<Record<string, number>>;
  /** Mean over the types: every type counts the same. */
  readonly mean: number;
  /** Over all questions: every question counts the same. */
  readonly overall: number;
  /** Questions behind each figure. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Questions grouped by type, in the order in which the types first appear. */
function groupByType<T extends { readonly type: string }>(questions: readonly T[]): Map<string, T[]> {
  if (questions.length === 0) {
    throw new OcelliError({
      operation: 'accuracy',
      expected: 'at least one question',
      received: 'none',
      remedy: 'Check the split and the question types.',
    });
  }
  const groups = new Map<string, T[]>();
  for (const question of questions) {
    const group = groups.get(question.type);
    if (group) group.push(question);
    else groups.set(question.type, [question]);
  }
  return groups;
}

/** @param right right answers of each type, in the order of the groups. */
function summarize(groups: ReadonlyMap<string, readonly unknown[]>, right: readonly number[]): Accuracy {
  const types = [...groups.keys()];
  const counts = types.map((type) => groups.get(type)!.length);
  const shares = counts.map((count, index) => right[index]! / count);
  const byTypeOf = (values: readonly number[]) =>
    Object.fromEntries(types.map((type, index) => [type, values[index]!]));
  return {
    byType: byTypeOf(shares),
    mean: sum(shares) / types.length,
    overall: sum(right) / sum(counts),
    counts: byTypeOf(counts),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Accuracy of answers.
 *
 * @throws OcelliError if there are no questions.
 */
export function accuracyByType(questions: readonly ScoredQuestion[]): Accuracy {
  const groups = groupByType(questions);
  const right = [...groups.values()].map((group) => group.filter(({ correct }) => correct).length);
  return summarize(groups, right);
}

/** The best accuracy without looking: per type, always giving the most frequent expected answer. */
export interface ConstantBaseline extends Accuracy {
  /** That answer, by type. */
  readonly answers: Readonly<Record<string, string>>;
}

/**
 * What the best constant answer to each type of question scores: what a model must beat to have seen anything.
 *
 * @throws OcelliError if there are no questions.
 */
export function constantBaseline(
  questions: readonly { readonly type: string; readonly expected: string }[],
): ConstantBaseline {
  const groups = groupByType(questions);
  const best = [...groups.values()].map((group) =>
    mostFrequent(group.map(({ expected }) => normalizeAnswer(expected))),
  );
  const answers = [...groups.keys()].map((type, index) => [type, best[index]!.value] as const);
  const right = best.map(({ count }) => count);
  return { ...summarize(groups, right), answers: Object.fromEntries(answers) };
}

function mostFrequent(values: readonly string[]): { value: string; count: number } {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best = { value: '', count: 0 };
  for (const [value, count] of counts) if (count > best.count) best = { value, count };
  return best;
}

/**
 * Mean and sample standard deviation of figures from several seeds; the deviation of one figure is 0.
 *
 * @throws OcelliError if there are no figures.
 */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  if (values.length === 0) {
    throw new OcelliError({
      operation: 'meanAndDeviation',
      expected: 'at least one figure',
      received: 'none',
      remedy: 'Run at least one seed.',
    });
  }
  const mean = sum(values) / values.length;
  if (values.length === 1) return { mean, deviation: 0 };
  const squares = sum(values.map((value) => (value - mean) ** 2));
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}
