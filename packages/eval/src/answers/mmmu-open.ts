import { formatFloat, parseFloatPython, roundPython } from '../text/python-number.js';
import { lengthOf, strip, stripCharacters } from '../text/python-text.js';

/** Behind these words an answer says what it is. */
const indicators = ['could be ', 'so ', 'is ', 'thus ', 'therefore ', 'final ', 'answer ', 'result '];

const trivial = [':', ',', '.', '!', '?', ';', "'"];

/**
 * A text or number as MMMU compares it: a number to two decimals, a text in lower case; a single character as two texts,
 * with a blank behind and in front, so that it does not match within words.
 */
export function normalizeMmmuText(text: string): (string | number)[] {
  const stripped = strip(text);
  const number = parseFloatPython(stripped.replaceAll(',', ''));
  if (number !== undefined) return [roundPython(number, 2)];
  const lower = stripped.toLowerCase();
  return lengthOf(lower) === 1 ? [` ${lower}`, `${lower} `] : [lower];
}

/** The parts of an answer that may be what it says: what follows the last indicator of each line. */
function keyResponses(answer: string): string[] {
  const whole = stripCharacters(strip(answer), '.').toLowerCase();
  const lines = whole.split('\n');
  const keys = lines.flatMap((line, index) => {
    const known = index === lines.length - 1 ? [...indicators, '='] : indicators;
    let shortest = '';
    for (const indicator of known) {
      const at = line.lastIndexOf(indicator);
      if (at < 0) continue;
      const tail = strip(line.slice(at + indicator.length));
      if (shortest === '' || lengthOf(tail) < lengthOf(shortest)) shortest = tail;
    }
    return shortest === '' || trivial.includes(shortest) ? [] : [shortest];
  });
  return keys.length === 0 ? [whole] : keys;
}

const word = '[\\p{L}\\p{N}_]';
const edge = `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`;
// A number begins where no digit is in front: nothing else could match, and long runs of digits stay cheap.
const digits = '(?<!\\p{Nd})\\p{Nd}+';
const numberPatterns = [
  new RegExp(`-?${edge}\\p{Nd}{1,3}(?:,\\p{Nd}{3})+${edge}`, 'gu'),
  new RegExp(`-?${digits}(?:\\.\\p{Nd}+)?[eE][+-]?\\p{Nd}+`, 'gu'),
  new RegExp(`-?(?:${digits}\\.\\p{Nd}+|\\.\\p{Nd}+|${digits}${edge})(?![eE][+-]?\\p{Nd}+)(?![,\\p{Nd}])`, 'gu'),
];

/** Numbers in a text: with commas, with exponents, and plain ones. */
export function extractNumbers(text: string): string[] {
  return numberPatterns.flatMap((pattern) => text.match(pattern) ?? []);
}

/**
 * What an answer to an open question of MMMU may say, normalised, without duplicates.
 *
 * Source: `eval_utils.py` of MMMU-Benchmark/MMMU. The rule that cuts sentences at a full stop before a capital never
 * applies there, the answer being in lower case already.
 */
export function parseMmmuOpen(answer: string): (string | number)[] {
  const keys = keyResponses(answer);
  const parts = [...keys, ...keys.flatMap(extractNumbers)].flatMap(normalizeMmmuText);
  return [...new Set(parts)];
}

/** What {@link parseMmmuOpen} found, as texts: numbers as Python writes them. */
export function mmmuPartTexts(parts: readonly (string | number)[]): string[] {
  return parts.map((part) => (typeof part === 'number' ? formatFloat(part) : part));
}

/** Whether one of the parts that an answer was parsed into is, or contains, one of the expected answers. */
export function isMmmuOpenCorrect(parts: readonly (string | number)[], expected: string | readonly string[]): boolean {
  const wanted = [expected].flat().flatMap(normalizeMmmuText);
  return parts.some((part) =>
    typeof part === 'number'
      ? // Not `includes`: a NaN is no answer.
        wanted.some((each) => each === part)
      : wanted.some((each) => typeof each === 'string' && part.includes(each)),
  );
}
