import { strip, wordCharacter } from '../text/python-text.js';
import { extractMcqAnswer } from './mcq-answer.js';

const numberWords = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const notOfWords = new RegExp(`[^${wordCharacter}\\t-\\r\\x1c-\\x20\\x85\\p{Zs}\\u2028\\u2029]`, 'gu');

/** Options within a question: a letter, a full stop, and the rest of the line. */
function optionsOf(question: string): { letter: string; text: string }[] {
  const pattern = new RegExp(`(?<![${wordCharacter}])([A-Z])\\.\\s+([^\\n]*)`, 'gu');
  return [...question.matchAll(pattern)].map(([, letter, text]) => ({ letter: letter!, text: text! }));
}

/**
 * What lmms-eval 0.2.4 compares of an answer to RealWorldQA: a number word as digit, without punctuation, and where it
 * contains an option of the question that option's letter. An option with punctuation is never found.
 */
export function filterRealWorldQa(answer: string, question: string): string {
  const number = numberWords.indexOf(answer.toLowerCase());
  const text = strip((number < 0 ? answer : String(number)).replace(notOfWords, ''));
  let best: { place: number; letter: string } | undefined;
  for (const { letter, text: option } of optionsOf(question)) {
    const place = text.indexOf(strip(option));
    if (place >= 0 && (best === undefined || place < best.place)) best = { place, letter };
  }
  return best?.letter ?? text;
}

/** Whether an answer to RealWorldQA is right, by lmms-eval 0.7.2. */
export function isRealWorldQaCorrect(answer: string, expected: string): boolean {
  const wanted = strip(expected);
  if (/^[A-D]$/i.test(wanted)) return extractMcqAnswer(answer) === wanted.toUpperCase();
  const plain = (text: string) => strip(text).toLowerCase().replace(/\.+$/, '');
  return plain(answer) === plain(wanted);
}
