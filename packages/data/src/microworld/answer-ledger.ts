import type { RandomSource } from '../random.js';
import type { CandidateQuestion, Question, QuestionType } from './question.js';

/** What was asked so far, by type, group and answer. It decides what to ask next so that answers stay equally frequent. */
export interface AnswerLedger {
  /** The best of at least one candidate: from the group asked least, an answer given least, then at random. */
  choose(candidates: readonly CandidateQuestion[], source: RandomSource): CandidateQuestion;
  /** How much more often a candidate's answer was given than the rarest one of its group; at 0 it keeps the balance. */
  excess(candidate: CandidateQuestion): number;
  /** Number of questions asked of a type. */
  asked(type: QuestionType): number;
  record(question: Question): void;
}

const YES_NO: readonly string[] = ['Yes', 'No'];

/** An empty ledger. */
export function answerLedger(): AnswerLedger {
  const types = new Map<QuestionType, number>();
  const groups = new Map<string, Map<string, number>>();
  const totals = new Map<string, number>();

  const rarest = <T>(items: readonly T[], frequency: (item: T) => number): T[] => {
    const frequencies = items.map(frequency);
    const smallest = frequencies.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    return items.filter((_, index) => frequencies[index] === smallest);
  };

  const frequency = ({ group, answer }: CandidateQuestion): number => groups.get(group)?.get(answer) ?? 0;

  return {
    choose(candidates, source) {
      const names = [...new Set(candidates.map(({ group }) => group))];
      const group = source.pick(rarest(names, (name) => totals.get(name) ?? 0));
      const balanced = rarest(
        candidates.filter((candidate) => candidate.group === group),
        frequency,
      );
      // Among equally rare answers every answer is as likely, however many candidates share it.
      const answer = source.pick([...new Set(balanced.map((candidate) => candidate.answer))]);
      return source.pick(balanced.filter((candidate) => candidate.answer === answer));
    },
    excess(candidate) {
      const own = frequency(candidate);
      const answers = groups.get(candidate.group) ?? new Map<string, number>();
      let least = own;
      for (const count of answers.values()) least = Math.min(least, count);
      // The other answer to a yes/no question counts even if it was never given.
      for (const answer of YES_NO.includes(candidate.answer) ? YES_NO : [])
        least = Math.min(least, answers.get(answer) ?? 0);
      return own - least;
    },
    asked: (type) => types.get(type) ?? 0,
    record({ type, group, answer }) {
      types.set(type, (types.get(type) ?? 0) + 1);
      totals.set(group, (totals.get(group) ?? 0) + 1);
      const answers = groups.get(group) ?? new Map<string, number>();
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      groups.set(group, answers);
    },
  };
}
