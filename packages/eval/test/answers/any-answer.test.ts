import { describe, expect, it } from 'vitest';
import {
  anls,
  bleu,
  cider,
  exactMatch,
  extractMathVista,
  extractMcqAnswer,
  extractYesNo,
  filterRealWorldQa,
  groundingBox,
  hallusionVerdict,
  inferMmbenchOption,
  inferVlmEvalKitOption,
  isMmmuOpenCorrect,
  isOcrBenchCorrect,
  isRealWorldQaCorrect,
  isRelaxedCorrect,
  looseMatch,
  mmeLabel,
  normalizeMathVista,
  parseBracketedBox,
  parseDecimalBox,
  parseMmmuChoice,
  parseMmmuOpen,
  parseReview,
  parseScienceQa,
  popeAnswer,
  readDetailCaptionScore,
  readHallusionJudge,
  readLiveBenchReply,
  rougeL,
  scoreAi2d,
  scoreMmbench,
  scoreMmStar,
  scoreQBench,
  scoreRefcoco,
  scoreSeed,
  scoreTextVqa,
  stripReasoning,
  vqaV2Accuracy,
} from '../../src/index.js';

const options = { A: 'a red kite', B: 'nan', C: '', D: '(.*)+' };
const annotators = new Array<string>(10).fill('two dogs');
const box = [1, 2, 30, 40] as const;

/** Everything that reads an answer. */
const readers: Readonly<Record<string, (answer: string) => unknown>> = {
  mme: (answer) => (['official', 'lmms-eval', 'relaxed'] as const).map((rule) => mmeLabel(answer, rule)),
  pope: (answer) => (['llava', 'moai', 'lmms-eval'] as const).map((rule) => popeAnswer(answer, rule)),
  yesNo: (answer) => [extractYesNo(answer), hallusionVerdict(answer)],
  mmbench: (answer) =>
    scoreMmbench([{ index: 1, label: 'A', options, category: 'c', l2Category: 'l', answer }]).correct,
  inferred: (answer) => [inferMmbenchOption(answer, options), inferVlmEvalKitOption(answer, options, '2025')],
  mcq: (answer) => extractMcqAnswer(answer),
  mmmuChoice: (answer) => parseMmmuChoice(answer, options, 'lmms-eval'),
  mmmuOpen: (answer) => isMmmuOpenCorrect(parseMmmuOpen(answer), ['7', 'seven']),
  boxes: (answer) => [parseBracketedBox(answer), parseDecimalBox(answer)],
  refcoco: (answer) => scoreRefcoco([{ answer, box, width: 640, height: 480 }]).accuracy,
  vqa: (answer) => [scoreTextVqa([{ annotators, answer }]).accuracy, vqaV2Accuracy(answer, annotators, 'lmms-0.2.4')],
  anls: (answer) => anls(answer, ['two dogs']),
  relaxed: (answer) => isRelaxedCorrect(answer, '12%'),
  exact: (answer) => exactMatch(answer, 'two dogs', looseMatch),
  realWorldQa: (answer) => [filterRealWorldQa(answer, 'Which?\nA. one\nB. two'), isRealWorldQaCorrect(answer, 'B')],
  ocr: (answer) => isOcrBenchCorrect(answer, ['x+y'], { dataset: 'HME100k' }),
  scienceQa: (answer) =>
    (['llava', 'honeybee', 'lmms-0.7.2'] as const).map((rule) => parseScienceQa(answer, ['a'], rule)),
  letters: (answer) => [
    scoreSeed([{ questionTypeId: 1, label: 'A', answer }]).correct,
    scoreAi2d([{ label: 0, answer }]).correct,
    scoreQBench([{ options: ['x', 'y'], label: 'x', answer }]).correct,
    scoreMmStar([{ category: 'c', l2Category: 'l', label: 'A', answer }], { rule: 'lmms-0.7.2' }).average,
  ],
  review: (answer) => [parseReview(answer), parseReview(answer, 'numbers')],
  replies: (answer) => [readLiveBenchReply(answer), readDetailCaptionScore(answer), readHallusionJudge(answer)],
  mathVista: (answer) => [
    normalizeMathVista(answer.slice(0, 1000), {
      questionType: 'multi_choice',
      answerType: 'text',
      choices: ['a', 'b'],
    }),
    extractMathVista(answer, { questionType: 'free_form', answerType: 'integer' }) ?? '',
    normalizeMathVista(answer, { questionType: 'free_form', answerType: 'float', precision: 1 }) ?? '',
  ],
  grounding: (answer) => groundingBox(answer, { bbox: [0, 0, 4, 4], width: 8, height: 8 }),
  reasoning: (answer) => stripReasoning(answer),
};

const long = 100_000;
const answers: readonly (readonly [name: string, answer: string])[] = [
  ['nothing', ''],
  ['blanks', ' \t\n\u3000'],
  ['a lone surrogate', '\ud83d yes'],
  ['emoji and right-to-left', '👩‍👩‍👧 نعم \u202e(A)\u0000'],
  ['full-width', 'Ａ．１２３'],
  ['a refusal', "I'm sorry, but I can't help with that."],
  ['regular expressions', '(?:[A]+)+$ \\d{1,} [[[,,,]]]'],
  ['brackets without end', '['.repeat(long)],
  ['boxes in boxes', `${'['.repeat(3000)}${']'.repeat(3000)}`],
  ['commas without end', `[${','.repeat(long)}`],
  ['digits without end', '1'.repeat(long)],
  ['numbers without end', '1,234.5e'.repeat(long / 8)],
  ['blanks without end', `A${' '.repeat(long)}B`],
  ['full stops without end', 'A.'.repeat(long / 2)],
  ['words without end', 'so the answer is A or '.repeat(long / 20)],
  ['marks without end', '<think>'.repeat(long / 7)],
  ['closed marks without end', '<think></think>'.repeat(long / 15)],
];

describe('whatever a model answers', () => {
  it.each(answers)('is read: %s', (_, answer) => {
    for (const [name, read] of Object.entries(readers)) expect(read(answer), name).not.toBeNull();
  });

  it('is a caption, too', () => {
    for (const [, answer] of answers) {
      const rows = [
        { caption: answer.slice(0, 2000), references: ['two dogs'] },
        { caption: 'a dog', references: ['a dog'] },
      ];
      for (const { score } of [...bleu(rows), rougeL(rows), cider(rows)]) expect(score).toBeGreaterThanOrEqual(0);
    }
  });
});
