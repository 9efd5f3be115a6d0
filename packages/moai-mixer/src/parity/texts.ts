import { compareExactly, type ParityCheck, worstOf } from '@ocelli/core-tensor';
import { withoutIgnoredIds } from '../pipelines/generation.js';
import { type MmbenchRow, mmbenchQuestion } from '../pipelines/mmbench-question.js';
import { type MoaiPipelineName, moaiPipelines } from '../pipelines/pipelines.js';
import { type MoaiPromptStyle, moaiPrompt } from '../prompts/prompt.js';
import { tokenizeMoaiPrompt } from '../prompts/tokenize-prompt.js';

interface PromptCase {
  readonly prompt: string;
  readonly system: string;
  readonly system_label_length: number;
  readonly im_mask_runs: readonly (readonly [value: number, length: number])[];
  readonly input_ids: readonly number[];
}

/** What the fixtures' tokenizer has for `<image>`. */
export const imageToken = 60;

/** The fixtures' tokenizer: an id for each piece between spaces. */
export function toyTokens(text: string): number[] {
  const pieces = text.split(' ').filter((piece) => piece !== '');
  return pieces.map((piece) =>
    piece === '<image>' ? imageToken : 3 + (new TextEncoder().encode(piece).reduce((sum, byte) => sum + byte, 0) % 50),
  );
}

function runsOf(mask: Uint8Array): number[][] {
  const runs: [number, number][] = [];
  for (const value of mask) {
    const last = runs.at(-1);
    if (last?.[0] === value) last[1]++;
    else runs.push([value, 1]);
  }
  return runs;
}

/** Prompts, ids and masks of both styles. */
export const checkPrompts: ParityCheck = async ({ config }) => {
  const { cases } = config as { readonly cases: readonly ({ question: string } & Record<string, PromptCase>)[] };
  const styles: Readonly<Record<string, MoaiPromptStyle>> = { demo: 'demo', eval: 'evaluation' };
  const results = cases.flatMap((each) =>
    Object.entries(styles).map(([name, style]) => {
      const prompt = moaiPrompt(each.question, style);
      const { inputIds, systemLength, imageMask } = tokenizeMoaiPrompt(prompt, toyTokens, { imageToken });
      const ours = {
        prompt: prompt.system + prompt.turn,
        system: prompt.system,
        system_label_length: systemLength,
        im_mask_runs: runsOf(imageMask),
        input_ids: inputIds,
      };
      return compareExactly(ours, each[name], `${JSON.stringify(each.question)} ${name}`);
    }),
  );
  return worstOf(results);
};

interface PipelineCase {
  readonly pipeline: string;
  readonly dataset: string;
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly prompts: readonly string[];
  readonly generate: unknown;
  readonly decode: unknown;
  readonly kept_ids: readonly (readonly number[])[];
  readonly texts: readonly string[];
}

/** What the fixtures call the pipelines. */
const pipelineNames: Readonly<Record<string, MoaiPipelineName>> = {
  SQA: 'sqa-img',
  TextVQA: 'textvqa',
  QBench: 'q-bench',
  AI2D: 'ai2d',
  MME: 'mme',
  MMBench: 'mmbench',
  MMVet: 'mm-vet',
  MathVista: 'mathvista',
  POPE: 'pope',
  ChartQA: 'chartqa',
  SEED: 'seed-img',
  HallusionBench: 'hallusionbench',
};

/** An item's options, wherever its benchmark keeps them. */
function optionsOf(item: Readonly<Record<string, unknown>>): string[] {
  const { candidates, metadata } = item as { candidates?: string[]; metadata?: { answerTexts?: string[] } };
  const choices = ['a', 'b', 'c', 'd'].flatMap((letter) => (item[`choice_${letter}`] as string | undefined) ?? []);
  return candidates ?? metadata?.answerTexts ?? choices;
}

/** Prompts, settings and answers of the benchmarks, and MMBench's questions. */
export const checkPipelines: ParityCheck = async ({ config }) => {
  const { cases, decoded, mmbench_rows } = config as {
    readonly cases: readonly PipelineCase[];
    readonly decoded: readonly string[];
    readonly mmbench_rows: readonly { row: MmbenchRow; question: string; question_id: number }[];
  };
  const results = cases.map(({ pipeline, dataset, items, prompts, generate, decode, kept_ids, texts }) => {
    const { prompt, generation, readAnswer } = moaiPipelines[pipelineNames[pipeline]!];
    const language = dataset.endsWith('_cn') ? 'chinese' : 'english';
    const ours = {
      prompts: items.map((item) =>
        prompt({ ...(item as { question: string; query?: string }), options: optionsOf(item), language }),
      ),
      generate: {
        do_sample: generation.doSample,
        num_beams: generation.numBeams,
        max_new_tokens: generation.maxNewTokens,
        use_cache: true,
      },
      decode: { skip_special_tokens: true, clean_up_tokenization_spaces: false },
      // The ids that the fixture's tokenizer was given had some to be ignored among them.
      kept_ids: kept_ids.map((ids) => withoutIgnoredIds(ids.flatMap((id) => [-100, id]))),
      texts: decoded.map(readAnswer),
    };
    return compareExactly(ours, { prompts, generate, decode, kept_ids, texts }, `${pipeline} ${dataset}`);
  });
  const questions = mmbench_rows.map(({ row, question }) =>
    compareExactly(mmbenchQuestion(row), question, `mmbench ${row.index}`),
  );
  return worstOf([...results, ...questions]);
};
