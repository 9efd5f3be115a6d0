import { fold, type RandomKey, type RandomSource, randomSource } from '../random.js';
import { type AnswerLedger, answerLedger } from './answer-ledger.js';
import { keywordsOf } from './keywords.js';
import { QUESTION_LISTERS } from './list-questions.js';
import { MicroworldError } from './microworld-error.js';
import type { CandidateQuestion, Question, QuestionType } from './question.js';
import { sampleValidScene } from './sample-scene.js';
import type { Scene } from './scene.js';
import type { SceneOptions } from './scene-options.js';

/** A scene and the questions asked about it. */
export interface QuestionedScene {
  readonly scene: Scene;
  readonly questions: readonly Question[];
}

/** What decides scenes and questions of a split. */
export interface QuestionScenesOptions {
  readonly count: number;
  readonly questionTypes: readonly QuestionType[];
  readonly questionsPerScene: number;
  readonly scene: SceneOptions;
  readonly wording: 'sentences' | 'keywords';
}

/** Scenes drawn in search of one whose answer is rare so far. */
const SCENE_ATTEMPTS = 32;

/**
 * Draws scenes and asks about them. Each scene is drawn for one type, in turn, and redrawn until its answer is one that
 * was given least so far; further questions are of the types asked least. Captions come last in a scene, because
 * they give the other answers away.
 *
 * @throws MicroworldError if no scene under these options answers a question of some type
 */
export function questionScenes(key: RandomKey, options: QuestionScenesOptions): QuestionedScene[] {
  const ledger = answerLedger();
  return Array.from({ length: options.count }, (_, index) => {
    const focus = options.questionTypes[index % options.questionTypes.length]!;
    return questionScene(fold(key, index), focus, ledger, options);
  });
}

interface Draft {
  readonly scene: Scene;
  readonly candidate: CandidateQuestion;
  readonly excess: number;
  readonly source: RandomSource;
}

function questionScene(
  key: RandomKey,
  focus: QuestionType,
  ledger: AnswerLedger,
  options: QuestionScenesOptions,
): QuestionedScene {
  let best: Draft | null = null;
  for (let attempt = 0; attempt < SCENE_ATTEMPTS && (best === null || best.excess > 0); attempt++) {
    const source = randomSource(fold(fold(key, attempt), 'questions'));
    const content = contentFor(focus, source, options);
    const scene = sampleValidScene(fold(fold(key, attempt), 'scene'), { ...options.scene, content });
    const candidates = QUESTION_LISTERS[focus](scene, options.scene);
    if (candidates.length === 0) continue;
    const candidate = ledger.choose(candidates, source);
    const draft: Draft = { scene, source, candidate, excess: ledger.excess(candidate) };
    if (best === null || draft.excess < best.excess) best = draft;
  }
  if (best === null) {
    throw new MicroworldError({
      operation: 'generateMicroworld',
      expected: `scenes that answer questions of type "${focus}"`,
      received: `none in ${SCENE_ATTEMPTS} draws`,
      remedy: 'allow more objects (two or more for relations) or leave out the type',
      option: 'questionTypes',
      value: focus,
    });
  }
  const { scene, source, candidate } = best;
  const asked: CandidateQuestion[] = [];
  const questions: Question[] = [];
  const ask = (type: QuestionType, chosen: CandidateQuestion): void => {
    const { group, answer, subjects } = chosen;
    const question: Question = { type, group, text: textOf(type, chosen, source, options), answer, subjects };
    ledger.record(question);
    asked.push(chosen);
    questions.push(question);
  };
  ask(focus, candidate);
  while (questions.length < options.questionsPerScene) {
    const next = nextQuestion(scene, asked, ledger, source, options);
    if (next === null) break;
    ask(next.type, next.candidate);
  }
  // In random order: which answer keeps the balance depends on how many questions came before, and a model must not
  // learn answers from the place of the question.
  const ordered = source.shuffle(questions).sort((a, b) => Number(a.type === 'caption') - Number(b.type === 'caption'));
  return { scene, questions: ordered };
}

function textOf(
  type: QuestionType,
  { wordings }: CandidateQuestion,
  source: RandomSource,
  { wording }: QuestionScenesOptions,
): string {
  const isSentence = wording === 'sentences' || type === 'caption' || type === 'box';
  return isSentence ? source.pick(wordings) : keywordsOf(wordings[0]!);
}

/** Text and charts appear where a type needs them, and sometimes as something else to see beside the objects. */
function contentFor(
  focus: QuestionType,
  source: RandomSource,
  { scene, questionTypes }: QuestionScenesOptions,
): SceneOptions['content'] {
  if (scene.content !== 'any') return scene.content;
  if (focus === 'reading') return 'text';
  if (focus === 'chart') return 'chart';
  if (focus === 'neighbour') return 'shapes';
  const contents: SceneOptions['content'][] = ['shapes', 'shapes'];
  if (questionTypes.includes('reading')) contents.push('text');
  if (questionTypes.includes('chart')) contents.push('chart');
  return source.pick(contents);
}

/** Further questions may disturb the balance of answers by this much; the scene is drawn already. */
const TOLERATED_EXCESS = 1;

/**
 * A question of the type asked least that was not asked yet and keeps the balance of answers. Where nothing keeps the
 * balance, the one that disturbs it least. Which objects earlier questions named plays no part: were those avoided, a
 * model could tell from the other questions alone whether an object exists.
 */
function nextQuestion(
  scene: Scene,
  asked: readonly CandidateQuestion[],
  ledger: AnswerLedger,
  source: RandomSource,
  { questionTypes, scene: sceneOptions }: QuestionScenesOptions,
): { readonly type: QuestionType; readonly candidate: CandidateQuestion } | null {
  const texts = new Set(asked.map(({ wordings }) => wordings[0]));
  const order = source.shuffle(questionTypes).sort((a, b) => ledger.asked(a) - ledger.asked(b));
  const rest: { readonly type: QuestionType; readonly candidate: CandidateQuestion }[] = [];
  for (const type of order) {
    const open = QUESTION_LISTERS[type](scene, sceneOptions).filter(({ wordings }) => !texts.has(wordings[0]));
    const balanced = open.filter((candidate) => ledger.excess(candidate) <= TOLERATED_EXCESS);
    if (balanced.length > 0) return { type, candidate: ledger.choose(balanced, source) };
    rest.push(...open.map((candidate) => ({ type, candidate })));
  }
  const least = rest.reduce(
    (smallest, { candidate }) => Math.min(smallest, ledger.excess(candidate)),
    Number.POSITIVE_INFINITY,
  );
  const closest = rest.filter(({ candidate }) => ledger.excess(candidate) === least);
  return closest.length > 0 ? source.pick(closest) : null;
}
