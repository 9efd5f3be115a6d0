import { BenchmarkError } from '../benchmark-error.js';
import { normalizeVqaAnswer } from '../text/vqa-answer.js';
import { vqaSoftTargets } from './vqa-v2.js';

/** What is needed of an entry of `v2_OpenEnded_mscoco_SPLIT2014_questions.json`. */
export interface VqaV2Question {
  readonly question_id: number;
  readonly image_id: number;
  readonly question: string;
}

/** What is needed of an entry of `v2_mscoco_SPLIT2014_annotations.json`. */
export interface VqaV2Annotation {
  readonly question_id: number;
  readonly multiple_choice_answer: string;
  readonly answers: readonly { readonly answer: string }[];
}

/** A question that a classifier learns from. */
export interface VqaV2Example {
  readonly questionId: number;
  readonly imageId: number;
  readonly question: string;
  /** Soft target by the class of each answer that the classifier knows; never empty. */
  readonly targets: ReadonlyMap<number, number>;
}

/**
 * The answers that a classifier for VQAv2 can give, class by class: the normalised majority answers of at least nine
 * questions, in the order in which they first appear. Of the training annotations followed by those for validation they
 * are the 3129 classes of the published models.
 *
 * Source: ManagerTower `src/utils/write_vqa.py`, as ViLT, METER and BridgeTower.
 *
 * @param minimumCount default: 9
 */
export function vqaV2Labels(
  annotations: Iterable<Pick<VqaV2Annotation, 'multiple_choice_answer'>>,
  { minimumCount = 9 }: { readonly minimumCount?: number } = {},
): string[] {
  const counts = new Map<string, number>();
  for (const { multiple_choice_answer } of annotations) {
    const answer = normalizeVqaAnswer(multiple_choice_answer, 'managertower');
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count >= minimumCount).map(([answer]) => answer);
}

/**
 * Questions with the soft targets of their annotators' answers (see {@link vqaSoftTargets}), in the order of the
 * questions. Those of which no answer is among the labels are left out, as in training.
 *
 * @param labels of {@link vqaV2Labels}
 * @throws BenchmarkError if a label occurs twice, or a question has no annotation
 */
export function vqaV2Examples(
  questions: Iterable<VqaV2Question>,
  annotations: Iterable<VqaV2Annotation>,
  labels: readonly string[],
): VqaV2Example[] {
  const classes = new Map(labels.map((label, index) => [label, index]));
  if (classes.size !== labels.length) {
    throw new BenchmarkError({
      operation: 'vqaV2Examples',
      expected: 'labels that differ',
      received: `${labels.length} labels, ${classes.size} of them different`,
      remedy: 'Pass what vqaV2Labels returns.',
      value: labels,
    });
  }
  const known = new Set(labels);
  const byQuestion = new Map([...annotations].map(({ question_id, answers }) => [question_id, answers]));
  return [...questions].flatMap(({ question_id, image_id, question }): VqaV2Example[] => {
    const answers = byQuestion.get(question_id);
    if (answers === undefined) {
      throw new BenchmarkError({
        operation: 'vqaV2Examples',
        expected: `an annotation of question ${question_id}`,
        received: 'none',
        remedy: 'Pass the annotations of the split that the questions are of.',
        value: question_id,
      });
    }
    const scores = vqaSoftTargets(
      answers.map(({ answer }) => answer),
      { labels: known },
    );
    if (scores.size === 0) return [];
    const targets = new Map([...scores].map(([answer, score]) => [classes.get(answer)!, score]));
    return [{ questionId: question_id, imageId: image_id, question, targets }];
  });
}

/** Targets of a batch as `visualQuestionAnsweringLoss` of `@ocelli/vlm` takes them: [examples, classes], row by row. */
export function vqaV2TargetRows(examples: readonly Pick<VqaV2Example, 'targets'>[], classes: number): Float32Array {
  const rows = new Float32Array(examples.length * classes);
  for (const [row, { targets }] of examples.entries()) {
    for (const [label, score] of targets) rows[row * classes + label] = score;
  }
  return rows;
}
