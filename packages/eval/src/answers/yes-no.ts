import { splitWords, strip } from '../text/python-text.js';
import { stripVqaPunctuation } from '../text/vqa-answer.js';

/** What an answer to a yes-or-no question says. */
export type YesNo = 'yes' | 'no' | 'other';

/**
 * How MME reads an answer.
 * - `official`: the authors' scorer, also MoAI's, Eagle's and Honeybee's: `yes` and then `no` anywhere in the first four
 *   characters, so that `not sure` and `know` are no.
 * - `lmms-eval`: the same without full stops and white space at the ends, and `y` and `n` count.
 * - `relaxed`: Honeybee's option: one of the words, anywhere, without the other.
 */
export type MmeRule = 'official' | 'lmms-eval' | 'relaxed';

/** The label of an answer to a question of MME, see {@link MmeRule}. */
export function mmeLabel(answer: string, rule: MmeRule = 'official'): YesNo {
  if (rule === 'relaxed') {
    const words = new Set(answer.toLowerCase().match(/[\p{L}\p{N}_]+/gu));
    if (words.has('yes') === words.has('no')) return 'other';
    return words.has('yes') ? 'yes' : 'no';
  }
  const lower = answer.toLowerCase();
  const text = rule === 'official' ? lower : strip(lower).replaceAll('.', '');
  if (rule === 'lmms-eval' && (text === 'y' || text === 'n')) return text === 'y' ? 'yes' : 'no';
  const start = [...text.slice(0, 8)].slice(0, 4).join('');
  if (start.includes('yes')) return 'yes';
  return start.includes('no') ? 'no' : 'other';
}

/**
 * How POPE reads an answer.
 * - `llava`: LLaVA's and Honeybee's: of the part in front of the first full stop, `No`, `not` or `no` as a word is no,
 *   anything else yes (`Nope`, `nothing` and an empty answer too).
 * - `moai`: the same in lower case, so that `NO` is no.
 * - `lmms-eval`: exactly `yes` or `no`, whatever their case; `Yes.` is neither.
 */
export type PopeRule = 'llava' | 'moai' | 'lmms-eval';

/** What an answer to a question of POPE says, see {@link PopeRule}. */
export function popeAnswer(answer: string, rule: PopeRule = 'llava'): YesNo {
  if (rule === 'lmms-eval') {
    const text = strip(answer.toLowerCase());
    return text === 'yes' || text === 'no' ? text : 'other';
  }
  const text = rule === 'moai' ? answer.toLowerCase() : answer;
  const words = text.split('.', 1)[0]!.replaceAll(',', '').split(' ');
  return ['No', 'not', 'no'].some((word) => words.includes(word)) ? 'no' : 'yes';
}

/**
 * What VLMEvalKit takes from an answer (`utils/yorn.py`): `yes` or `no` as a word, without the other; `other`, which it
 * calls Unknown, goes to a judge or counts as wrong.
 */
export function extractYesNo(answer: string): YesNo {
  const words = splitWords(stripVqaPunctuation(answer.toLowerCase(), 'vlmevalkit'));
  if (words.includes('yes') === words.includes('no')) return 'other';
  return words.includes('yes') ? 'yes' : 'no';
}

/** Whether an answer to HallusionBench says yes, by the rule without a judge: `yes` anywhere, in any case. */
export function saysYes(answer: string): boolean {
  return answer.toLowerCase().includes('yes');
}
