import { vqaAccuracy } from '../metrics/vqa-accuracy.js';
import { strip } from '../text/python-text.js';
import { normalizeVqaAnswer, normalizeVqaWords, stripVqaPunctuation } from '../text/vqa-answer.js';

/**
 * How answers to VQAv2 are normalised.
 * - `lmms-0.7.2`: punctuation and words of both sides, once.
 * - `lmms-0.2.4`: the answer in full, like TextVQA's; and if the annotators differ, both sides as in `lmms-0.7.2`, the
 *   answer a second time. If they agree they stay as they are, so that ten times `a dog` and `a dog` do not match.
 */
export type VqaV2Rule = 'lmms-0.7.2' | 'lmms-0.2.4';

const oneLine = (text: string) => strip(text.replaceAll('\n', ' ').replaceAll('\t', ' '));
const normalize = (text: string) => normalizeVqaWords(stripVqaPunctuation(text));

/** VQA accuracy of an answer to a question of VQAv2 (Goyal et al. 2017), 0 … 1; 0 without annotators. */
export function vqaV2Accuracy(answer: string, annotators: readonly string[], rule: VqaV2Rule = 'lmms-0.7.2'): number {
  const lines = annotators.map(oneLine);
  if (rule === 'lmms-0.7.2') return vqaAccuracy(normalize(oneLine(answer)), lines.map(normalize));
  const full = normalizeVqaAnswer(answer);
  const differ = new Set(lines).size > 1;
  return differ ? vqaAccuracy(normalize(full), lines.map(normalize)) : vqaAccuracy(full, lines);
}

/**
 * The answer as it goes to VQAv2's server. `lmms-0.7.2` normalises it only where annotators' answers are known, so that
 * answers to the test split go as the model wrote them; `lmms-0.2.4` always does.
 */
export function vqaV2Submission(answer: string, hasAnnotators: boolean, rule: VqaV2Rule = 'lmms-0.7.2'): string {
  if (rule === 'lmms-0.2.4') return normalizeVqaAnswer(answer);
  return hasAnnotators ? normalize(oneLine(answer)) : strip(answer);
}

/**
 * Soft targets of a question of VQAv2 for a classifier, by normalised answer: 0.3, 0.6, 0.9 and 1 for one, two, three and
 * more annotators, in the order in which answers first appear. (ManagerTower, METER, ViLT, BridgeTower)
 *
 * @param labels answers that the classifier knows. Default: all.
 */
export function vqaSoftTargets(
  annotators: readonly string[],
  { labels }: { readonly labels?: ReadonlySet<string> } = {},
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const annotator of annotators) {
    const answer = normalizeVqaAnswer(annotator, 'managertower');
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const known = [...counts].filter(([answer]) => labels === undefined || labels.has(answer));
  return new Map(known.map(([answer, count]) => [answer, [0.3, 0.6, 0.9][count - 1] ?? 1]));
}
