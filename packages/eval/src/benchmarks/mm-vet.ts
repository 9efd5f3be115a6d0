import { requireRows } from '../benchmark-error.js';
import { meanOf } from '../metrics/share.js';
import { parseFloatPython } from '../text/python-number.js';
import { strip } from '../text/python-text.js';

/** Capabilities of MM-Vet (Yu et al. 2023). */
export const mmVetCapabilities = ['rec', 'ocr', 'know', 'gen', 'spat', 'math'] as const;

/** The combinations of them that its questions need. */
const combinations = [
  'rec_gen_know',
  'rec',
  'spat_ocr',
  'spat_math_ocr',
  'rec_spat',
  'ocr',
  'math_ocr',
  'rec_know',
  'rec_spat_gen_ocr',
  'rec_gen_ocr_know',
  'rec_spat_ocr',
  'rec_ocr',
  'know_spat_ocr',
  'rec_spat_know',
  'spat_gen_ocr',
  'rec_spat_math_ocr',
];

/** The row that a judge completes: question, expected answer and answer. It stands below examples. */
export function mmVetRow({
  question,
  reference,
  answer,
}: {
  readonly question: string;
  readonly reference: string;
  readonly answer: string;
}): string {
  const spaced = reference.replaceAll('<AND>', ' <AND> ').replaceAll('<OR>', ' <OR> ');
  return [question, spaced, answer, ''].join(' | ').trimEnd();
}

/** Options of {@link gradeMmVet}. */
export interface GradeMmVetOptions {
  /** Requests at most; lmms-eval asks for ever. Default: 100. */
  readonly limit?: number;
}

/**
 * Asks a judge for a grade as lmms-eval 0.2.4 does. A reply without text is asked again; one whose first word is no number
 * raises the temperature by 0.5 and costs one more request, which is not looked at, until the temperature is 2 and the
 * grade 0; one outside 0 … 1 is asked again.
 *
 * @param ask the judge's reply at a temperature; undefined if the request failed
 * @returns the grade, or undefined if the limit is reached: no grade is no score
 */
export async function gradeMmVet(
  ask: (temperature: number) => Promise<string | undefined>,
  { limit = 100 }: GradeMmVetOptions = {},
): Promise<number | undefined> {
  let requests = 0;
  const reply = async (temperature: number): Promise<string | undefined> => {
    while (requests++ < limit) {
      const text = await ask(temperature);
      if (text !== undefined && strip(text) !== '') return text;
    }
    return undefined;
  };
  let temperature = 0;
  while (temperature < 2) {
    const text = await reply(temperature);
    if (text === undefined) return undefined;
    const grade = parseFloatPython(strip(text).split(' ', 1)[0]!);
    if (grade === undefined) {
      temperature += 0.5;
      if ((await reply(temperature)) === undefined) return undefined;
    } else if (grade >= 0 && grade <= 1) return grade;
  }
  return 0;
}

/** A graded answer to MM-Vet. */
export interface MmVetGrade {
  /** Names between commas. */
  readonly capability: string;
  /** 0 … 1 */
  readonly grade: number;
}

/** Percent, in all and by capability and by combination; those without a question are absent. */
export interface MmVetScore {
  readonly score: number;
  readonly capabilities: Readonly<Record<string, number>>;
  readonly combinations: Readonly<Record<string, number>>;
}

/**
 * Sums grades up. Questions count for each of their capabilities, and for their combination if it is one of MM-Vet's.
 *
 * @throws BenchmarkError if there are no grades
 */
export function scoreMmVet(rows: readonly MmVetGrade[]): MmVetScore {
  requireRows('MM-Vet', rows);
  const percent = (names: readonly string[], isCounted: (name: string, needed: readonly string[]) => boolean) =>
    Object.fromEntries(
      names.flatMap((name) => {
        const grades = rows
          .filter(({ capability }) => isCounted(name, capability.split(',')))
          .map(({ grade }) => grade);
        return grades.length === 0 ? [] : [[name, meanOf(grades) * 100]];
      }),
    );
  const key = (names: readonly string[]) => [...names].sort().join();
  return {
    score: meanOf(rows.map(({ grade }) => grade)) * 100,
    capabilities: percent(mmVetCapabilities, (name, needed) => needed.includes(name)),
    combinations: percent(combinations, (name, needed) => key(name.split('_')) === key(needed)),
  };
}
