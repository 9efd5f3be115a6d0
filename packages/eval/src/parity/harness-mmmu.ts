import { type ParityCheck, worstOf } from '@ocelli/core-tensor';
import type { OptionTexts } from '../answers/mmbench-option.js';
import { parseMmmuChoice } from '../answers/mmmu-choice.js';
import { extractNumbers, isMmmuOpenCorrect, normalizeMmmuText, parseMmmuOpen } from '../answers/mmmu-open.js';
import { groupBy, shareOf } from '../metrics/share.js';
import { parsePythonStrings } from '../text/python-literal.js';
import { roundPython } from '../text/python-number.js';
import { strip } from '../text/python-text.js';
import { compareValues } from './compare-values.js';
import type { HarnessFixture } from './harness-vqa.js';

/** What the fixtures have where an option is drawn. */
export const random = '<RANDOM>';

/** Options by their letters. */
export const lettersOf = (texts: readonly string[]): OptionTexts =>
  Object.fromEntries(texts.map((text, index) => [String.fromCharCode(65 + index), text]));

interface MmmuDoc {
  readonly id: string;
  readonly options: string;
  readonly question_type: string;
  readonly answer: string | readonly string[];
}

/** Parts of an open answer as the fixtures have them, in one order. */
function partList(parts: readonly (string | number)[]): { n?: number | string; s?: string }[] {
  const text = (part: string | number) => (typeof part === 'number' ? `0${part}` : `1${part}`);
  const sorted = [...parts].sort((a, b) => (text(a) < text(b) ? -1 : 1));
  return sorted.map((part) => {
    if (typeof part === 'string') return { s: part };
    return { n: Number.isFinite(part) ? part : Number.isNaN(part) ? 'nan' : part > 0 ? 'inf' : '-inf' };
  });
}

type StoredPart = { readonly n?: number | string; readonly s?: string };

/** Stored parts, in the same order. */
function storedList(parts: readonly StoredPart[]): StoredPart[] {
  const value = ({ n, s }: StoredPart) =>
    s !== undefined ? s : typeof n === 'number' ? n : Number(String(n).replace('inf', 'Infinity'));
  return partList(parts.map(value));
}

/** Choices, open answers, and their means. */
export const checkMmmu: ParityCheck = async ({ config }) => {
  type Expected = { readonly parsed: string | readonly StoredPart[]; readonly correct: boolean | null };
  const { cases, aggregates } = config as HarnessFixture<MmmuDoc>;
  const results = cases.map(({ doc, response, expect }) => {
    const expected = expect as Expected & { readonly numbers?: readonly string[] };
    const text = strip(response);
    if (doc.question_type !== 'multiple-choice') {
      const parts = parseMmmuOpen(text);
      const correct = isMmmuOpenCorrect(parts, doc.answer);
      return {
        doc,
        correct,
        ours: { parsed: partList(parts), numbers: extractNumbers(text), correct },
        expected: {
          parsed: storedList(expected.parsed as readonly StoredPart[]),
          numbers: expected.numbers,
          correct: expected.correct,
        },
      };
    }
    const options = lettersOf(parsePythonStrings(doc.options));
    const parsed = parseMmmuChoice(text, options, 'lmms-eval');
    const correct = parsed === undefined ? null : [doc.answer].flat().includes(parsed);
    const ours = {
      parsed: parsed ?? random,
      official_parsed: parseMmmuChoice(text, options) ?? random,
      correct,
    };
    return { doc, correct, ours, expected };
  });
  const scored = results.flatMap(({ doc, correct }) => (correct === null ? [] : [{ id: doc.id, correct }]));
  const subjects = groupBy(scored, ({ id }) => id.split('_').slice(1, -1).join('_'));
  const share = (rows: readonly { readonly correct: boolean }[]) =>
    shareOf(rows.map(({ correct }) => correct)).accuracy;
  const { rounding: _rounding, ...figures } = aggregates as Readonly<Record<string, unknown>>;
  return worstOf([
    ...results.map(({ doc, ours, expected }) => compareValues(ours, expected, doc.id)),
    compareValues(
      {
        mmmu_acc: roundPython(share(scored), 5),
        n: scored.length,
        per_subject: Object.fromEntries([...subjects].map(([name, rows]) => [name, share(rows)])),
      },
      figures,
      'aggregates',
    ),
  ]);
};

/** Normalised texts and numbers. */
export const checkMmmuNormalise: ParityCheck = async ({ config }) => {
  const { cases } = config as { readonly cases: readonly { doc: { string: string }; expect: StoredPart[] }[] };
  return worstOf(
    cases.map(({ doc, expect }, index) =>
      compareValues(partList(normalizeMmmuText(doc.string)), storedList(expect), `cases[${index}]`),
    ),
  );
};
