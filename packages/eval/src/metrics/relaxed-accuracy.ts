import { parseFloatPython } from '../text/python-number.js';

function stripEnd(text: string): string {
  let end = text.length;
  while (text[end - 1] === '%') end--;
  return text.slice(0, end);
}

/** A number, or a percentage as a fraction. */
function readNumber(text: string): number | undefined {
  if (!text.endsWith('%')) return parseFloatPython(text);
  const value = parseFloatPython(stripEnd(text));
  return value === undefined ? undefined : value / 100;
}

/**
 * Whether an answer to ChartQA is right: a number within a share of the expected one, or the same text in any case. An
 * expected 0 is compared as text, `12` is not `12%`, and years within 5% are right. (Masry et al. 2022, after Methani et
 * al. 2020; the same in lmms-eval and VLMEvalKit)
 *
 * @param tolerance default: 0.05
 */
export function isRelaxedCorrect(answer: string, expected: string, { tolerance = 0.05 } = {}): boolean {
  const [ours, theirs] = [readNumber(answer), readNumber(expected)];
  if (ours === undefined || theirs === undefined || theirs === 0)
    return answer.toLowerCase() === expected.toLowerCase();
  return Math.abs(ours - theirs) / Math.abs(theirs) <= tolerance;
}
