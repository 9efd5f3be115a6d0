import { parseFloatPython } from '../text/python-number.js';
import type { BoxCorners } from './box.js';

const number = '-?\\p{Nd}+(?:\\.\\p{Nd}+)?';
const plainBox = new RegExp(`\\[\\s*(${number}),\\s*(${number}),\\s*(${number}),\\s*(${number})\\s*\\]`, 'u');

/**
 * The first four plain decimals in brackets, with commas between, as lmms-eval reads RefCOCO's answers: no exponents, and
 * no number begins with a full stop.
 */
export function parseDecimalBox(answer: string): BoxCorners | undefined {
  const found = plainBox.exec(answer);
  return found ? (found.slice(1).map(Number) as unknown as BoxCorners) : undefined;
}

const boxKeys = ['bbox_2d', 'bbox', 'box', 'coordinates', 'coord', 'location', 'position'];
const looseBox = new RegExp(`(?<![\\p{Nd}.])(${number})[,\\s]+(${number})[,\\s]+(${number})[,\\s]+(${number})`, 'gu');
/** Deeper answers are no boxes, and would exhaust the stack. */
const deepest = 64;

function boxesWithin(value: unknown, depth = 0): BoxCorners[] {
  if (depth > deepest || typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    const numbers = value.map((each) =>
      typeof each === 'number' ? each : typeof each === 'string' ? parseFloatPython(each) : undefined,
    );
    if (value.length === 4 && !numbers.includes(undefined)) return [numbers as unknown as BoxCorners];
    return value.flatMap((each) => boxesWithin(each, depth + 1));
  }
  const record = value as Readonly<Record<string, unknown>>;
  const key = boxKeys.find((name) => name in record);
  const found = key === undefined ? [] : boxesWithin(record[key], depth + 1);
  return found.length > 0 ? found : Object.values(record).flatMap((each) => boxesWithin(each, depth + 1));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * All boxes in an answer, as lmms-eval 0.7.2 reads grounding: JSON in a fenced block, else the whole text as JSON, else
 * what is between its first and its last bracket; boxes are lists of four numbers, under names such as `bbox_2d` or
 * anywhere. Without JSON that has one: any four numbers with commas or blanks between.
 */
export function parseGroundingBoxes(answer: string): BoxCorners[] {
  const fenced = /```(?:json)?\s*([^`]*)```/.exec(answer)?.[1];
  const start = answer.search(/[[{]/);
  const end = Math.max(answer.lastIndexOf(']'), answer.lastIndexOf('}'));
  const texts = [fenced, answer, start >= 0 && end > start ? answer.slice(start, end + 1) : undefined];
  for (const text of texts) {
    const found = text === undefined ? [] : boxesWithin(parseJson(text));
    if (found.length > 0) return found;
  }
  return [...answer.matchAll(looseBox)].map((match) => match.slice(1).map(Number) as unknown as BoxCorners);
}
