import { plural, withArticle } from './names.js';
import { askableShapes, LARGEST_COUNT, uniqueColours, uniqueShapes } from './object-questions.js';
import { extremeBars } from './panel-questions.js';
import { type CandidateLister, type CandidateQuestion, indicesOf, yesNo } from './question.js';

const colourIsRight: CandidateLister = (scene, options) =>
  uniqueShapes(scene).flatMap(({ shape, colour, index }) =>
    options.colours.map((asked) => ({
      group: 'verification/colour',
      wordings: [`Is the ${shape} ${asked}?`],
      answer: yesNo(asked === colour),
      subjects: [index],
    })),
  );

const shapeIsRight: CandidateLister = (scene, options) =>
  uniqueColours(scene).flatMap(({ shape, colour, index }) =>
    askableShapes(scene, options).map((asked) => ({
      group: 'verification/shape',
      wordings: [`Is the ${colour} object ${withArticle(asked)}?`],
      answer: yesNo(asked === shape),
      subjects: [index],
    })),
  );

/** A group for each number: otherwise the number alone would tell yes from no. */
const countIsRight: CandidateLister = (scene, options) =>
  askableShapes(scene, options).flatMap((shape) => {
    const subjects = indicesOf(scene, (object) => object.shape === shape);
    return Array.from(
      { length: LARGEST_COUNT + 1 },
      (_, asked): CandidateQuestion => ({
        group: `verification/count/${asked}`,
        wordings: [`Is the number of ${plural(shape)} ${asked}?`],
        answer: yesNo(asked === subjects.length),
        subjects,
      }),
    ).filter((_, asked) => Math.abs(asked - subjects.length) <= 1);
  });

const textIsRight: CandidateLister = ({ text }, options) =>
  text === null
    ? []
    : options.words.map((word) => ({
        group: 'verification/reading',
        wordings: [`Does the text say ${word}?`],
        answer: yesNo(word === text.content),
        subjects: [],
      }));

const tallestIsRight: CandidateLister = ({ chart }) =>
  chart === null
    ? []
    : chart.bars.map((bar) => ({
        group: 'verification/chart',
        wordings: [`Is the ${bar.colour} bar the tallest?`],
        answer: yesNo(bar === extremeBars(chart).tallest),
        subjects: [],
      }));

/** Yes/no questions about colours, shapes, counts, words and bars, half of whose answers are no. */
export const VERIFICATIONS = {
  colour: colourIsRight,
  shape: shapeIsRight,
  count: countIsRight,
  reading: textIsRight,
  chart: tallestIsRight,
} as const satisfies Record<string, CandidateLister>;

/** Is the circle red? Is the number of circles 2? Does the text say CAT? */
export const verificationQuestions: CandidateLister = (scene, options) =>
  Object.values(VERIFICATIONS).flatMap((list) => list(scene, options));
