import { captionQuestions } from './caption.js';
import { colourQuestions, countQuestions, existenceQuestions, shapeQuestions } from './object-questions.js';
import { chartQuestions, readingQuestions } from './panel-questions.js';
import type { CandidateLister, CandidateQuestion, QuestionType } from './question.js';
import type { Scene } from './scene.js';
import { type SceneOptionsInput, sceneOptions } from './scene-options.js';
import { boxQuestions, neighbourQuestions, positionQuestions, relationQuestions } from './spatial-questions.js';
import { verificationQuestions } from './verification-questions.js';

/** How the questions of each type are listed. */
export const QUESTION_LISTERS: Readonly<Record<QuestionType, CandidateLister>> = {
  existence: existenceQuestions,
  count: countQuestions,
  colour: colourQuestions,
  shape: shapeQuestions,
  relation: relationQuestions,
  neighbour: neighbourQuestions,
  position: positionQuestions,
  box: boxQuestions,
  reading: readingQuestions,
  chart: chartQuestions,
  verification: verificationQuestions,
  caption: captionQuestions,
};

/**
 * Every unambiguous question of a type that a scene answers, with its answer. The list is not balanced;
 * {@link generateMicroworld} asks from it so that answers become equally frequent.
 *
 * @param options the options with which the scene was drawn: they say which shapes, colours and words exist
 * @throws MicroworldError if an option is invalid
 */
export function listQuestions(type: QuestionType, scene: Scene, options: SceneOptionsInput = {}): CandidateQuestion[] {
  return QUESTION_LISTERS[type](scene, sceneOptions(options));
}
