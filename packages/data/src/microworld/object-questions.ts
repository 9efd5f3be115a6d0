import { type Colour, plural, type Shape, withArticle } from './names.js';
import { type CandidateLister, type CandidateQuestion, indicesOf, nameOf, yesNo } from './question.js';
import type { Scene } from './scene.js';
import type { SceneOptions } from './scene-options.js';

/** Counts of one colour or shape are asked up to this one; larger ones are too rare to be kept equally frequent. */
export const LARGEST_COUNT = 3;

/** Shapes that questions may mention: beside a chart no squares, which its bars resemble. */
export function askableShapes(scene: Scene, options: SceneOptions): Shape[] {
  return options.shapes.filter((shape) => scene.chart === null || shape !== 'square');
}

function existenceWordings(phrase: string): string[] {
  return [`Is there ${phrase} in the image?`, `Does the image show ${phrase}?`];
}

/** A pair of colour and shape, whether a scene shows it, and the question that asks. */
export interface PairExistence {
  readonly shape: Shape;
  readonly colour: Colour;
  readonly present: boolean;
  readonly question: CandidateQuestion;
}

/** Every pair of a colour and a shape that may be asked about. */
export function pairExistences(scene: Scene, options: SceneOptions): PairExistence[] {
  return askableShapes(scene, options).flatMap((shape) =>
    options.colours.map((colour) => {
      const subjects = indicesOf(scene, (object) => object.shape === shape && object.colour === colour);
      const present = subjects.length > 0;
      const wordings = existenceWordings(withArticle(nameOf({ shape, colour })));
      return {
        shape,
        colour,
        present,
        question: { group: 'existence/pair', wordings, answer: yesNo(present), subjects },
      };
    }),
  );
}

/** Is there a red circle? Is there a circle? */
export const existenceQuestions: CandidateLister = (scene, options) => [
  ...pairExistences(scene, options).map(({ question }) => question),
  ...askableShapes(scene, options).map((shape): CandidateQuestion => {
    const subjects = indicesOf(scene, (object) => object.shape === shape);
    return {
      group: 'existence/shape',
      wordings: existenceWordings(withArticle(shape)),
      answer: yesNo(subjects.length > 0),
      subjects,
    };
  }),
];

function countWordings(phrase: string): string[] {
  return [`How many ${phrase} are there in the image?`, `How many ${phrase} can you see?`];
}

/** How many shapes, red shapes, circles? Beside a chart only shapes are counted, because its bars have colours too. */
export const countQuestions: CandidateLister = (scene, options) => {
  const candidates: CandidateQuestion[] = [];
  const add = (group: string, phrase: string, subjects: readonly number[], limit: number): void => {
    if (subjects.length > limit) return;
    candidates.push({ group, wordings: countWordings(phrase), answer: String(subjects.length), subjects });
  };
  if (scene.chart === null) {
    add(
      'count/all',
      'shapes',
      indicesOf(scene, () => true),
      Number.POSITIVE_INFINITY,
    );
    for (const colour of options.colours) {
      add(
        'count/colour',
        `${colour} shapes`,
        indicesOf(scene, (object) => object.colour === colour),
        LARGEST_COUNT,
      );
    }
  }
  for (const shape of askableShapes(scene, options)) {
    add(
      'count/shape',
      plural(shape),
      indicesOf(scene, (object) => object.shape === shape),
      LARGEST_COUNT,
    );
  }
  return candidates;
};

/** Shapes that exactly one object has, with its index. */
export function uniqueShapes(
  scene: Scene,
): { readonly shape: Shape; readonly colour: Colour; readonly index: number }[] {
  return scene.objects.flatMap((object, index) =>
    indicesOf(scene, ({ shape }) => shape === object.shape).length === 1
      ? [{ shape: object.shape, colour: object.colour, index }]
      : [],
  );
}

/** Colours that exactly one object and no bar has, with its index. */
export function uniqueColours(
  scene: Scene,
): { readonly shape: Shape; readonly colour: Colour; readonly index: number }[] {
  return scene.objects.flatMap((object, index) =>
    indicesOf(scene, ({ colour }) => colour === object.colour).length === 1 &&
    !scene.chart?.bars.some(({ colour }) => colour === object.colour)
      ? [{ shape: object.shape, colour: object.colour, index }]
      : [],
  );
}

/** What colour is the circle? Asked where there is one circle. */
export const colourQuestions: CandidateLister = (scene) =>
  uniqueShapes(scene).map(({ shape, colour, index }) => ({
    group: 'colour',
    wordings: [`What colour is the ${shape}?`, `What is the colour of the ${shape}?`],
    answer: colour,
    subjects: [index],
  }));

/** What shape is the red object? Asked where there is one red thing. */
export const shapeQuestions: CandidateLister = (scene) =>
  uniqueColours(scene).map(({ shape, colour, index }) => ({
    group: 'shape',
    wordings: [`What shape is the ${colour} object?`, `What is the shape of the ${colour} object?`],
    answer: shape,
    subjects: [index],
  }));
