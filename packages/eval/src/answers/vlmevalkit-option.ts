import { lengthOf, splitWords } from '../text/python-text.js';
import { failedAnswer, type OptionTexts } from './mmbench-option.js';

/** Answers that are refusals: they name an option that no question has. */
const refusals = [
  "Sorry, I can't help with images of people yet.",
  "I can't process this file.",
  "I'm sorry, but without the image provided",
  'Cannot determine the answer',
];

const refused = 'Z';

/** Not bound to a word: `the answer is blue` says B. */
const saidAnswer = /answer\s+is\s+\**([a-d])/i;

/**
 * The rules of two versions of VLMEvalKit (`utils/matching_util.py`).
 * - `2024-05`: the one that ConvLLaVA was evaluated with: one letter among the words, wherever.
 * - `2025`: the letter must be among the last four words, or follow `answer is`; and an option's text is not looked for
 *   in an answer longer than twice all texts together.
 */
export type VlmEvalKitVersion = '2024-05' | '2025';

/** The letter that an answer names, `Z` for a refusal. */
export function inferVlmEvalKitLetter(
  answer: string,
  options: OptionTexts,
  version: VlmEvalKitVersion = '2024-05',
): string | undefined {
  if (answer.includes(failedAnswer)) return undefined;
  if (refusals.some((refusal) => answer.includes(refusal))) return refused;
  const words = splitWords(answer.replace(/[.()[\],:;!*#{}]/g, ' '));
  const found = Object.keys(options).filter((letter) => words.includes(letter));
  if (found.length === 1) {
    const [letter] = found as [string];
    if (version === '2024-05' || words.indexOf(letter) > words.length - 5) return letter;
  } else if (found.length === 0 && words.includes(refused)) return refused;
  const said = version === '2025' ? saidAnswer.exec(answer)?.[1]?.toUpperCase() : undefined;
  return said !== undefined && said in options ? said : undefined;
}

/** The option whose text, in any case, is the only one that an answer contains. */
export function inferVlmEvalKitText(
  answer: string,
  options: OptionTexts,
  version: VlmEvalKitVersion = '2024-05',
): string | undefined {
  const lower = answer.toLowerCase();
  const texts = Object.values(options).reduce((sum, text) => sum + lengthOf(text), 0);
  if (version === '2025' && lengthOf(lower) > 2 * texts) return undefined;
  const found = Object.keys(options).filter((letter) => lower.includes(options[letter]!.toLowerCase()));
  return found.length === 1 ? found[0] : undefined;
}

/** The option that an answer names by its letter, or else by its text. */
export function inferVlmEvalKitOption(
  answer: string,
  options: OptionTexts,
  version: VlmEvalKitVersion = '2024-05',
): string | undefined {
  return inferVlmEvalKitLetter(answer, options, version) ?? inferVlmEvalKitText(answer, options, version);
}
