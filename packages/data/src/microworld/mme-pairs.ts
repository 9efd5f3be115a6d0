import { fold, type RandomKey, randomSource } from '../random.js';
import { existenceQuestions } from './object-questions.js';
import type { CandidateLister, CandidateQuestion, QuestionType } from './question.js';
import type { Scene } from './scene.js';
import type { SceneOptions } from './scene-options.js';
import { relationQuestions } from './spatial-questions.js';
import { VERIFICATIONS } from './verification-questions.js';

/** MME's categories that the microworld can fill, with the questions that fill them and the type those belong to. */
export const MME_CATEGORIES: Readonly<Record<string, { readonly type: QuestionType; readonly list: CandidateLister }>> =
  {
    existence: { type: 'existence', list: existenceQuestions },
    count: { type: 'verification', list: VERIFICATIONS.count },
    position: { type: 'relation', list: relationQuestions },
    color: { type: 'verification', list: VERIFICATIONS.colour },
    OCR: { type: 'verification', list: VERIFICATIONS.reading },
  };

/** What MME appends to each question. */
const SUFFIX = ' Please answer yes or no.';

/** A picture's two questions in one category: the first is answered Yes, the second No. */
export interface MmePair {
  /** Index of the scene. */
  readonly index: number;
  readonly positive: string;
  readonly negative: string;
}

/**
 * A pair of questions about each scene that allows one, in one of {@link MME_CATEGORIES}. Where possible both are about
 * the same objects.
 */
export function mmePairs(scenes: readonly Scene[], category: string, key: RandomKey, options: SceneOptions): MmePair[] {
  const source = randomSource(fold(fold(key, 'mme'), category));
  const { list } = MME_CATEGORIES[category]!;
  return scenes.flatMap((scene, index) => {
    const candidates = list(scene, options);
    const positives = candidates.filter(({ answer }) => answer === 'Yes');
    const negatives = candidates.filter(({ answer }) => answer === 'No');
    if (positives.length === 0 || negatives.length === 0) return [];
    const positive = source.pick(positives);
    const about = ({ subjects }: CandidateQuestion): string => [...subjects].sort((a, b) => a - b).join();
    const related = negatives.filter((negative) => about(negative) === about(positive));
    const negative = source.pick(related.length > 0 ? related : negatives);
    return [{ index, positive: positive.wordings[0]! + SUFFIX, negative: negative.wordings[0]! + SUFFIX }];
  });
}

/** The two lines of a picture's text file in MME's release. */
export function mmeFile({ positive, negative }: MmePair): string {
  return `${positive}\tYes\n${negative}\tNo\n`;
}
