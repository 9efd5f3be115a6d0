import { type MmeRule, mmeLabel } from '../answers/yes-no.js';
import { BenchmarkError, requireRows } from '../benchmark-error.js';
import { groupBy, shareOf } from '../metrics/share.js';

/** Categories of MME (Fu et al. 2023), by what they ask for. */
export const mmeCategories = {
  perception: [
    'existence',
    'count',
    'position',
    'color',
    'posters',
    'celebrity',
    'scene',
    'landmark',
    'artwork',
    'OCR',
  ],
  cognition: ['commonsense_reasoning', 'numerical_calculation', 'text_translation', 'code_reasoning'],
} as const;

const known: ReadonlySet<string> = new Set([...mmeCategories.perception, ...mmeCategories.cognition]);

/** A question of MME and what a model answered. */
export interface MmeRow {
  readonly category: string;
  /** Both questions of an image have the same. */
  readonly image: string;
  readonly label: 'yes' | 'no';
  readonly answer: string;
}

/** Points: 0 … 200 of a category, 0 … 2000 of perception and 0 … 800 of cognition. */
export interface MmePoints {
  readonly score: number;
  /** Part of the score for right answers: 100 · their share. */
  readonly accuracy: number;
  /** Part of the score for images with both answers right: 100 · their share. */
  readonly accuracyPlus: number;
}

/** Points of MME. */
export interface MmeScore {
  readonly categories: Readonly<Record<string, MmePoints>>;
  readonly perception: MmePoints;
  readonly cognition: MmePoints;
  /** Perception and cognition together. */
  readonly total: MmePoints;
}

/**
 * Scores answers to MME. Perception and cognition are sums over the categories that are there, as in the authors' scorer,
 * so that a part of the categories has fewer points.
 *
 * @throws BenchmarkError if a category is unknown, an image has not two questions, or there are no rows
 */
export function scoreMme(rows: readonly MmeRow[], { rule = 'official' }: { readonly rule?: MmeRule } = {}): MmeScore {
  requireRows('MME', rows);
  const categories: Record<string, MmePoints> = {};
  for (const [category, questions] of groupBy(rows, (row) => row.category)) {
    if (!known.has(category)) {
      throw new BenchmarkError({
        operation: 'score MME',
        expected: `a category of ${[...known].join(', ')}`,
        received: JSON.stringify(category),
        value: questions[0],
      });
    }
    categories[category] = pointsOf(category, questions, rule);
  }
  const sumOf = (names: readonly string[]) => names.flatMap((name) => categories[name] ?? []).reduce(plus, nothing);
  const [perception, cognition] = [sumOf(mmeCategories.perception), sumOf(mmeCategories.cognition)];
  return { categories, perception, cognition, total: plus(perception, cognition) };
}

const nothing: MmePoints = { score: 0, accuracy: 0, accuracyPlus: 0 };

function plus(a: MmePoints, b: MmePoints): MmePoints {
  return {
    score: a.score + b.score,
    accuracy: a.accuracy + b.accuracy,
    accuracyPlus: a.accuracyPlus + b.accuracyPlus,
  };
}

function pointsOf(category: string, questions: readonly MmeRow[], rule: MmeRule): MmePoints {
  const isRight = ({ answer, label }: MmeRow) => mmeLabel(answer, rule) === label;
  const images = groupBy(questions, (row) => row.image);
  for (const [image, pair] of images) {
    if (pair.length === 2) continue;
    throw new BenchmarkError({
      operation: `score MME (${category})`,
      expected: `two questions about ${JSON.stringify(image)}`,
      received: String(pair.length),
      remedy: 'Keep both questions of an image when you take a part of the benchmark.',
      value: pair,
    });
  }
  const accuracy = shareOf(questions.map(isRight)).accuracy * 100;
  const accuracyPlus = shareOf([...images.values()].map((pair) => pair.every(isRight))).accuracy * 100;
  return { score: accuracy + accuracyPlus, accuracy, accuracyPlus };
}
