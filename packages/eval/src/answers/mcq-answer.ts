import { strip, stripCharacters } from '../text/python-text.js';

/** What comes in front of a letter, in lower case. */
const phrases = [
  ...['answer', 'correct answer', 'best answer', 'correct option', 'best option', 'choice', 'correct choice'].flatMap(
    (noun) => [`the ${noun} is`, `${noun} is`],
  ),
  ...['i choose', 'i select', 'i pick', 'my answer is', 'my choice is'],
  ...['옵션', '정답은', '답은', '답:', '答案是', '答案为', '选', '答えは'],
];

interface Candidate {
  readonly letter: string;
  readonly place: number;
  readonly priority: number;
}

const isLetter = (character: string | undefined) => character !== undefined && /\p{L}/u.test(character);

/**
 * The letter that an answer names, by lmms-eval 0.7.2: of what looks like one, in this order, a letter at the start, at
 * the end, behind `the answer is` and the like in four languages, in brackets, with a full stop, a colon, a bracket or a
 * blank behind; of several the last. It does not look for words: where nothing else is found any such letter counts, so
 * that most answers name one.
 *
 * Source: `tasks/_task_utils/mcq_extract.py` at 0.7.2.
 *
 * @param letters default: A to H
 */
export function extractMcqAnswer(answer: string, letters: readonly string[] = [...'ABCDEFGH']): string | undefined {
  const stripped = [...',.!?;:\'"'].reduce((text, mark) => stripCharacters(text, mark), strip(answer));
  if (strip(answer) === '') return undefined;
  const text = ` ${stripped} `;
  const core = strip(text);
  const lower = text.toLowerCase();
  const candidates: Candidate[] = [];
  const lookFor = (priority: number, mark: (letter: string) => string) => {
    for (const letter of letters) {
      const place = text.lastIndexOf(mark(letter));
      if (place >= 0) candidates.push({ letter, place, priority });
    }
  };
  lookFor(6, (letter) => `(${letter})`);
  lookFor(5, (letter) => `${letter}.`);
  lookFor(4, (letter) => `${letter}:`);
  lookFor(3, (letter) => `${letter})`);
  lookFor(2, (letter) => `${letter} `);
  for (const phrase of phrases) {
    const at = lower.indexOf(phrase);
    if (at < 0) continue;
    for (const letter of letters) {
      const place = text.indexOf(letter, at + phrase.length);
      if (place >= 0) candidates.push({ letter, place, priority: 7 });
    }
  }
  for (const letter of letters) {
    if (core.startsWith(letter) && !isLetter([...core.slice(1, 3)][0]))
      candidates.push({ letter, place: 0, priority: 10 });
  }
  for (const letter of letters) {
    if (core.endsWith(letter) && !isLetter([...core.slice(-3, -1)].at(-1))) {
      candidates.push({ letter, place: text.length - 1, priority: 9 });
    }
  }
  if (candidates.length === 0) lookFor(0, (letter) => letter);
  return candidates.reduce<Candidate | undefined>((best, each) => {
    if (best === undefined || each.priority > best.priority) return each;
    return each.priority === best.priority && each.place > best.place ? each : best;
  }, undefined)?.letter;
}
