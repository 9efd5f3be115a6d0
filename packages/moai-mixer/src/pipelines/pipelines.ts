import { readMoaiAnswer } from '../prompts/prompt.js';
import type { PipelineGeneration } from './generation.js';

/** A question of a benchmark, with the fields that its file has. */
export interface PipelineItem {
  readonly question: string;
  /** Options in order, where the benchmark has a list. */
  readonly options?: readonly string[];
  /** MathVista's question with its instructions. */
  readonly query?: string;
  /** MMBench in Chinese. */
  readonly language?: 'english' | 'chinese';
}

/** How MoAI's evaluation asks the questions of a benchmark and reads the answers. */
export interface MoaiPipeline {
  readonly prompt: (item: PipelineItem) => string;
  readonly generation: PipelineGeneration;
  /** From the decoded sequence, prompt included. */
  readonly readAnswer: (decoded: string) => string;
}

const askForLetter = "Answer with the option's letter from the given choices directly.";
const askForLetterInChinese = '请直接回答选项字母。';
const askForWords = 'Answer the question using a single word or phrase.';

function pipeline(
  prompt: MoaiPipeline['prompt'],
  {
    maxNewTokens = 128,
    readAnswer = readMoaiAnswer,
  }: { maxNewTokens?: number; readAnswer?: (text: string) => string } = {},
): MoaiPipeline {
  return { prompt, generation: { doSample: false, numBeams: 3, maxNewTokens }, readAnswer };
}

const asIs = ({ question }: PipelineItem) => question;
const inWords = ({ question }: PipelineItem) => `${question}\n${askForWords}`;

/** Options with letters, at most four. */
function lettered(options: readonly string[] = []): string[] {
  return options.slice(0, 4).map((option, index) => `${'ABCD'[index]}. ${option}`);
}

/** Options below each other, an empty line, and how to answer. */
const withOptionLines = ({ question, options }: PipelineItem) =>
  [question, ...lettered(options), '', askForLetter].join('\n');

/** Hallusion's scoring wants 1 and 0: whether the answer says yes anywhere. */
function yesAsOne(decoded: string): string {
  return readMoaiAnswer(decoded).toLowerCase().includes('yes') ? '1' : '0';
}

/**
 * MoAI's evaluation of each benchmark (`pipeline/*.py`). Prompts stand in the evaluation turn; TextVQA's questions hold
 * the instruction already, so that they have it twice.
 */
export const moaiPipelines = {
  'q-bench': pipeline(withOptionLines),
  'sqa-img': pipeline(({ question }) => `${question.replaceAll('<image>', '')}\n${askForLetter}`),
  textvqa: pipeline(inWords),
  pope: pipeline(inWords, { maxNewTokens: 5 }),
  mme: pipeline(asIs, { maxNewTokens: 5 }),
  mmbench: pipeline(
    ({ question, language }) => `${question}\n${language === 'chinese' ? askForLetterInChinese : askForLetter}`,
  ),
  'mm-vet': pipeline(asIs),
  mathvista: pipeline(({ question, query }) => query ?? question),
  ai2d: pipeline(withOptionLines),
  'seed-img': pipeline(({ question, options }) => [question, lettered(options).join(' '), askForLetter].join('\n')),
  hallusionbench: pipeline(asIs, { readAnswer: yesAsOne }),
  chartqa: pipeline(inWords),
} as const satisfies Readonly<Record<string, MoaiPipeline>>;

/** A benchmark that {@link moaiPipelines} has. */
export type MoaiPipelineName = keyof typeof moaiPipelines;
