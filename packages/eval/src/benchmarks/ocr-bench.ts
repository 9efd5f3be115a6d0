/** Question types of OCRBench (Liu et al. 2023) and how many questions of each it has. */
export const ocrBenchTypes: Readonly<Record<string, number>> = {
  'Regular Text Recognition': 50,
  'Irregular Text Recognition': 50,
  'Artistic Text Recognition': 50,
  'Handwriting Recognition': 50,
  'Digit String Recognition': 50,
  'Non-Semantic Text Recognition': 50,
  'Scene Text-centric VQA': 200,
  'Doc-oriented VQA': 200,
  'Key Information Extraction': 200,
  'Handwritten Mathematical Expression Recognition': 100,
};

/**
 * Whose scorer it is.
 * - `lmms-0.7.2`: formulas (HME100k) are compared with their capitals; full-width ASCII is ASCII.
 * - `lmms-0.2.4`: answers are in lower case before that, so that formulas with capitals never match.
 */
export type OcrBenchRule = 'lmms-0.7.2' | 'lmms-0.2.4';

/** Full-width forms as ASCII. */
function foldWidth(text: string): string {
  return text.replace(/[\uff01-\uff5e\u3000]/g, (character) =>
    character === '\u3000' ? ' ' : String.fromCharCode(character.charCodeAt(0) - 0xfee0),
  );
}

/**
 * Whether an answer to OCRBench contains one of the expected ones: formulas without blanks and line feeds, all else in
 * any case.
 *
 * @param dataset where the question is from, such as `HME100k`
 */
export function isOcrBenchCorrect(
  answer: string,
  expected: string | readonly string[],
  { dataset, rule = 'lmms-0.7.2' }: { readonly dataset: string; readonly rule?: OcrBenchRule },
): boolean {
  const fold = rule === 'lmms-0.7.2' ? foldWidth : (text: string) => text;
  const isFormula = dataset === 'HME100k';
  const compact = (text: string) => text.trim().replaceAll('\n', ' ').replaceAll(' ', '');
  const line = (text: string) => text.toLowerCase().trim().replaceAll('\n', ' ');
  const reduce = (text: string) => (isFormula ? compact(fold(text)) : line(fold(text)));
  const given = reduce(rule === 'lmms-0.2.4' ? answer.toLowerCase() : answer);
  return [expected].flat().some((each) => given.includes(reduce(each)));
}
