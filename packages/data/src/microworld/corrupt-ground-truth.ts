import { fold, type RandomKey, type RandomSource, randomSource } from '../random.js';
import { GLYPH_CHARACTERS } from './glyphs.js';
import type { GroundTruth, TrueObject, TrueText } from './ground-truth.js';
import { shiftMask } from './mask.js';
import { MicroworldError } from './microworld-error.js';
import { COLOURS, type Predicate, SHAPES } from './names.js';
import type { Relation } from './relations.js';
import type { Box } from './scene.js';

const OPPOSITES: Readonly<Record<Predicate, Predicate>> = {
  'left of': 'right of',
  'right of': 'left of',
  above: 'below',
  below: 'above',
};

/**
 * What an imperfect set of vision models would report. Every object, relation, text and bar is wrong with the given
 * probability, independently: an object is missed, named wrongly (another shape or another colour) or misplaced by up
 * to half its size; a relation is missed or reversed; a text is missed or has one character wrong; a bar has
 * another value. Relations of missed objects go with them. At rate 0 the truth itself is returned.
 *
 * @param key the same key gives the same errors
 * @param errorRate probability of an error, 0 … 1
 * @throws MicroworldError if the rate is not a number between 0 and 1
 */
export function corruptGroundTruth(truth: GroundTruth, key: RandomKey, errorRate: number): GroundTruth {
  if (!(errorRate >= 0 && errorRate <= 1)) {
    throw new MicroworldError({
      operation: 'corruptGroundTruth',
      expected: 'an error rate between 0 and 1',
      received: String(errorRate),
      remedy: 'give a probability',
      option: 'errorRate',
      value: errorRate,
    });
  }
  if (errorRate === 0) return truth;
  // Separate streams: whether an object is missed does not change which relation is wrong.
  const source = (part: string): RandomSource => randomSource(fold(key, part));
  const objectSource = source('objects');
  const objects = truth.objects.flatMap((object) =>
    objectSource.chance(errorRate) ? corruptObject(object, truth, objectSource) : [object],
  );
  const kept = new Set(objects.map(({ id }) => id));
  const relationSource = source('relations');
  const relations = truth.relations
    .flatMap((relation) => (relationSource.chance(errorRate) ? corruptRelation(relation, relationSource) : [relation]))
    .filter(({ subject, object }) => kept.has(subject) && kept.has(object));
  const textSource = source('texts');
  const texts = truth.texts.flatMap((text) => (textSource.chance(errorRate) ? corruptText(text, textSource) : [text]));
  const barSource = source('bars');
  const chart =
    truth.chart === null
      ? null
      : {
          ...truth.chart,
          bars: truth.chart.bars.map((bar) =>
            barSource.chance(errorRate) ? { ...bar, value: bar.value + otherStep(bar.value, barSource) } : bar,
          ),
        };
  return { ...truth, objects, relations, texts, chart };
}

function corruptObject(object: TrueObject, truth: GroundTruth, source: RandomSource): TrueObject[] {
  switch (source.pick(['missed', 'shape', 'colour', 'misplaced'] as const)) {
    case 'missed':
      return [];
    case 'shape':
      return [{ ...object, shape: source.pick(SHAPES.filter((shape) => shape !== object.shape)) }];
    case 'colour':
      return [{ ...object, colour: source.pick(COLOURS.filter((colour) => colour !== object.colour)) }];
    case 'misplaced':
      return [misplace(object, truth, source)];
  }
}

/** Moves box and mask together by whole pixels, at least one, and keeps the box on the picture. */
function misplace(object: TrueObject, { width, height }: GroundTruth, source: RandomSource): TrueObject {
  const [x, y, boxWidth, boxHeight] = object.box;
  const shift = (position: number, extent: number, limit: number): number => {
    const reach = Math.max(1, Math.floor(extent / 2));
    const steps = Array.from({ length: 2 * reach + 1 }, (_, index) => index - reach).filter(
      (step) => step !== 0 && position + step >= 0 && position + step + extent <= limit,
    );
    return steps.length === 0 ? 0 : source.pick(steps);
  };
  const dx = shift(x, boxWidth, width);
  const dy = shift(y, boxHeight, height);
  const box: Box = [x + dx, y + dy, boxWidth, boxHeight];
  return { ...object, box, mask: shiftMask(object.mask, dx, dy) };
}

/** The opposite is the one predicate that is certainly wrong: others may hold beside the true one. */
function corruptRelation(relation: Relation, source: RandomSource): Relation[] {
  return source.chance(0.5) ? [] : [{ ...relation, predicate: OPPOSITES[relation.predicate] }];
}

function corruptText(text: TrueText, source: RandomSource): TrueText[] {
  if (source.chance(0.5)) return [];
  const position = source.integer(text.content.length);
  const wrong = source.pick(GLYPH_CHARACTERS.filter((character) => character !== text.content[position]));
  return [{ ...text, content: text.content.slice(0, position) + wrong + text.content.slice(position + 1) }];
}

/** One unit up or down, never below 1. */
function otherStep(value: number, source: RandomSource): number {
  return value > 1 && source.chance(0.5) ? -1 : 1;
}
