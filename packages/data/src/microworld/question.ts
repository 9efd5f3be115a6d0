import type { Scene, SceneObject } from './scene.js';
import type { SceneOptions } from './scene-options.js';

/** Types of questions. */
export const QUESTION_TYPES = [
  'existence',
  'count',
  'colour',
  'shape',
  'relation',
  'neighbour',
  'position',
  'box',
  'reading',
  'chart',
  'verification',
  'caption',
] as const;
export type QuestionType = (typeof QUESTION_TYPES)[number];

/** A question that a scene answers, in one or more wordings. */
export interface CandidateQuestion {
  /** Answers are kept equally frequent within a group. */
  readonly group: string;
  /** Wordings of the same question; the first is the one benchmarks use. */
  readonly wordings: readonly string[];
  readonly answer: string;
  /** Indices of the objects that the question names or its answer reveals. */
  readonly subjects: readonly number[];
}

/** A question as asked. */
export interface Question {
  readonly type: QuestionType;
  readonly group: string;
  readonly text: string;
  readonly answer: string;
  readonly subjects: readonly number[];
}

/** Lists every unambiguous question of a type that a scene answers. */
export type CandidateLister = (scene: Scene, options: SceneOptions) => CandidateQuestion[];

/** The name by which a question refers to an object: colour and shape. */
export function nameOf(object: Pick<SceneObject, 'colour' | 'shape'>): string {
  return `${object.colour} ${object.shape}`;
}

/** Objects that colour and shape identify, with their indices. */
export function namedObjects(
  scene: Scene,
): { readonly index: number; readonly object: SceneObject; readonly name: string }[] {
  const names = scene.objects.map(nameOf);
  return scene.objects.flatMap((object, index) => {
    const name = names[index]!;
    return names.indexOf(name) === names.lastIndexOf(name) ? [{ index, object, name }] : [];
  });
}

/** Indices of the objects that a test accepts. */
export function indicesOf(scene: Scene, accepts: (object: SceneObject) => boolean): number[] {
  return scene.objects.flatMap((object, index) => (accepts(object) ? [index] : []));
}

/** Answers to yes/no questions. */
export function yesNo(value: boolean): 'Yes' | 'No' {
  return value ? 'Yes' : 'No';
}
