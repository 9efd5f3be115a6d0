import { PREDICATES, type Predicate } from './names.js';
import { type CandidateLister, type CandidateQuestion, namedObjects, yesNo } from './question.js';
import { relationHolds } from './relations.js';
import { type Box, CANVAS, objectBox, regionOf } from './scene.js';

/** Positions are asked of objects whose centre is at least this far from the border between two regions. */
const REGION_MARGIN = CANVAS / 24;

const PHRASES: Readonly<Record<Predicate, string>> = {
  'left of': 'to the left of',
  'right of': 'to the right of',
  above: 'above',
  below: 'below',
};

const OPPOSITES: Readonly<Record<Predicate, Predicate>> = {
  'left of': 'right of',
  'right of': 'left of',
  above: 'below',
  below: 'above',
};

/** Is the red circle to the left of the blue square? Where the answer is no, the opposite is clearly true. */
export const relationQuestions: CandidateLister = (scene) => {
  const named = namedObjects(scene);
  const candidates: CandidateQuestion[] = [];
  for (const subject of named) {
    for (const object of named) {
      if (subject === object) continue;
      for (const predicate of PREDICATES) {
        const holds = relationHolds(predicate, subject.object, object.object) === true;
        const opposite = relationHolds(OPPOSITES[predicate], subject.object, object.object) === true;
        if (!holds && !opposite) continue;
        candidates.push({
          group: `relation/${predicate}`,
          wordings: [
            `Is the ${subject.name} ${PHRASES[predicate]} the ${object.name}?`,
            `Is the ${subject.name} located ${PHRASES[predicate]} the ${object.name}?`,
          ],
          answer: yesNo(holds),
          subjects: [subject.index, object.index],
        });
      }
    }
  }
  return candidates;
};

/**
 * What is to the left of the red circle? Asked where exactly one thing is, and nothing is nearly so. Scenes with text or a
 * chart are left out, because those are things too.
 */
export const neighbourQuestions: CandidateLister = (scene) => {
  if (scene.text !== null || scene.chart !== null) return [];
  const named = namedObjects(scene);
  const candidates: CandidateQuestion[] = [];
  for (const reference of named) {
    for (const predicate of PREDICATES) {
      const others = scene.objects.flatMap((object, index) =>
        index === reference.index ? [] : [{ index, holds: relationHolds(predicate, object, reference.object) }],
      );
      const found = others.filter(({ holds }) => holds === true);
      const answer = named.find(({ index }) => index === found[0]?.index);
      if (found.length !== 1 || answer === undefined || others.some(({ holds }) => holds === null)) continue;
      candidates.push({
        group: 'neighbour',
        wordings: [
          `What is ${PHRASES[predicate]} the ${reference.name}?`,
          `Which object is ${PHRASES[predicate]} the ${reference.name}?`,
        ],
        answer: answer.name,
        subjects: [reference.index, answer.index],
      });
    }
  }
  return candidates;
};

/** Whether a coordinate is far from both borders between thirds. */
function clearlyInThird(value: number): boolean {
  return [CANVAS / 3, (CANVAS * 2) / 3].every((border) => Math.abs(value - border) >= REGION_MARGIN);
}

/** Where is the red circle? One of nine regions. */
export const positionQuestions: CandidateLister = (scene) =>
  namedObjects(scene)
    .filter(({ object }) => clearlyInThird(object.x) && clearlyInThird(object.y))
    .map(({ index, object, name }) => ({
      group: 'position',
      wordings: [`Where is the ${name}?`, `Where in the image is the ${name}?`],
      answer: regionOf(object.x, object.y),
      subjects: [index],
    }));

/** A box as text: left, top, right and bottom as fractions of the picture's sides with two decimals, as LLaVA's data. */
export function formatBox([x, y, width, height]: Box, side: number): string {
  return `[${[x, y, x + width, y + height].map((value) => (value / side).toFixed(2)).join(', ')}]`;
}

/** The box of the red circle, in the wording of the RefCOCO part of LLaVA's data. */
export const boxQuestions: CandidateLister = (scene) =>
  namedObjects(scene).map(({ index, object, name }) => ({
    group: 'box',
    wordings: [`Please provide the bounding box coordinate of the region this sentence describes: ${name}.`],
    answer: formatBox(objectBox(object), CANVAS),
    subjects: [index],
  }));
