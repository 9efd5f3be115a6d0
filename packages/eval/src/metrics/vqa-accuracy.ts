/**
 * VQA accuracy of an answer: the mean over the annotators of min(1, matches among the others / 3). With ten of them, 0,
 * 1, 2, 3 and more matches are 0, 0.3, 0.6, 0.9 and 1. Without annotators it is 0.
 *
 * Texts are compared as they are: normalise both sides with `normalizeVqaAnswer` first. (Antol et al. 2015, "VQA: Visual
 * Question Answering"; visualqa.org/evaluation)
 */
export function vqaAccuracy(answer: string, annotators: readonly string[]): number {
  if (annotators.length === 0) return 0;
  const matches = annotators.filter((each) => each === answer).length;
  const scores = annotators.map((each) => Math.min(1, (matches - (each === answer ? 1 : 0)) / 3));
  return scores.reduce((sum, score) => sum + score, 0) / annotators.length;
}
