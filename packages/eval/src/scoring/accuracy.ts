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
    throw new OcelliError({ operation: 'accuracy', expected: 'at least one question', received: 'none', remedy: 'Check the split and the question types.' });
  }
  const groups = new Map<string, T[]>();
  for (const question of questions) {
    const group = groups.get(question.type);
    if (group) group.push(question);
    else groups.set(question.type, [question]);
  }
  return groups;
}

function summarize(groups: ReadonlyMap<string, readonly unknown[]>, share: (type: string) => number): Accuracy {
  const types = [...groups.keys()];
  const byType = Object.fromEntries(types.map((type) => [type, share(type)]));
  const total = types.reduce((sum, type) => sum + groups.get(type)!.length, 0);
  return {
    byType,
    overall: types.reduce((sum, type) => sum + byType[type]! * groups.get(type)!.length, 0) / total,
    mean: Object.values(byType).reduce((sum, value) => sum + value, 0) / types.length,
    counts: Object.fromEntries(types.map((type) => [type, groups.get(type)!.length])),
  };
}

/**
 * Accuracy of answers.
 *
 * @throws OcelliError if there are no questions.
 */
export function accuracyByType(questions: readonly ScoredQuestion[]): Accuracy {
  const groups = groupByType(questions);
  return summarize(groups, (type) => {
    const group = groups.get(type)!;
    return group.filter(({ correct }) => correct).length / group.length;
  });
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
export function constantBaseline(questions: readonly { readonly type: string; readonly expected: string }[]): ConstantBaseline {
  const groups = groupByType(questions);
  const best = new Map([...groups].map(([type, group]) => [type, mostFrequent(group.map(({ expected }) => normalizeAnswer(expected)))]));
  const accuracy = summarize(groups, (type) => best.get(type)!.count / groups.get(type)!.length);
  return { ...accuracy, answers: Object.fromEntries([...best].map(([type, { value }]) => [type, value])) };
}

function mostFrequent(values: readonly string[]): { value: string; count: number } {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best = { value: '', count: 0 };
  for (const [value, count] of counts) if (count > best.count) best = { value, count };
  return best;
}

/** Mean and sample standard deviation of figures from several seeds; the deviation of one figure is 0. */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, deviation: 0 };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}
