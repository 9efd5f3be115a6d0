import { type ParityCheck, type ParityChecks, worstOf } from '@ocelli/core-tensor';
import { BenchmarkError } from '../benchmark-error.js';
import { detailCaptionPrompt, readDetailCaptionScore } from '../benchmarks/detail-caption.js';
import { liveBenchPrompt, liveBenchSubtasks, readLiveBenchReply, scoreLiveBench } from '../benchmarks/live-bench.js';
import { parseReview, type ReviewScores, reviewPrompt, scoreLlavaBench } from '../benchmarks/llava-bench.js';
import { meanOf } from '../metrics/share.js';
import { strip } from '../text/python-text.js';
import { compareValues } from './compare-values.js';
import { compareCases, type HarnessFixture } from './harness-vqa.js';

interface Judged {
  readonly judge: readonly string[];
}

/** The first reply that came. */
function replyOf({ judge }: Judged): string {
  return judge.find((reply) => reply !== '<HTTP error>') ?? '';
}

interface Request {
  readonly messages: readonly { readonly content: string | readonly { readonly text?: string }[] }[];
}

/** The last text of a request. */
function textOf({ messages }: Request): string {
  const { content } = messages.at(-1)!;
  return typeof content === 'string' ? content : content.find(({ text }) => text !== undefined)!.text!;
}

const isNumber = (scores: ReviewScores) => scores.every((score) => !Number.isNaN(score));

interface LlavaDoc {
  readonly category: string;
  readonly question: string;
  readonly caption: string | readonly string[];
  readonly gpt_answer: string;
}

const checkLlavaBench: ParityCheck = async (fixture) => {
  const categories = ['conv', 'detail', 'complex'];
  const config = fixture.config as HarnessFixture<LlavaDoc, Judged> & {
    readonly first_request_per_category: Readonly<Record<string, Request>>;
  };
  const reviews = config.cases.map((each) => ({
    category: each.doc.category,
    scores: parseReview(replyOf(each), 'stripped'),
  }));
  const figures = (options?: Parameters<typeof scoreLlavaBench>[1]) => {
    const scores = scoreLlavaBench(
      reviews.filter(({ scores: each }) => isNumber(each)),
      options,
    );
    return Object.fromEntries(['all', ...categories].map((name) => [`gpt_eval_llava_${name}`, scores[name]!.score]));
  };
  const { no_samples: _none, ...aggregates } = config.aggregates as Readonly<Record<string, unknown>>;
  const failed = [{ category: 'conv', scores: parseReview('') }];
  const prompts = Object.entries(config.first_request_per_category).map(([category, request]) => {
    const { doc, response } = config.cases.find((each) => each.doc.category === category)!;
    const { question, caption, gpt_answer: reference } = doc;
    const ours = reviewPrompt({ context: [caption].flat().join('\n'), question, reference, answer: strip(response) });
    return compareValues(ours, textOf(request), category);
  });
  return worstOf([
    compareCases<LlavaDoc, Judged>(fixture, (each) => {
      const scores = parseReview(replyOf(each), 'stripped');
      const perMetric = [...categories, 'all'].map((name) => [
        `gpt_eval_llava_${name}`,
        name === 'all' || name === each.doc.category ? scores : [-999, -999],
      ]);
      return {
        scores,
        'scores_0.7.2': parseReview(replyOf(each), 'numbers'),
        scores_per_metric: Object.fromEntries(perMetric),
      };
    }),
    compareValues(
      {
        ...figures(),
        without_failed_reviews: figures({ unreadable: 'left-out' }),
        all_failed: scoreLlavaBench(failed).all!.score,
        left_out_nan_cases: config.cases.flatMap((each, index) =>
          isNumber(reviews[index]!.scores) ? [] : [(each as unknown as { readonly id: number }).id],
        ),
        n: reviews.filter(({ scores }) => isNumber(scores)).length,
      },
      aggregates,
      'aggregates',
    ),
    ...prompts,
  ]);
};

interface WilderDoc {
  readonly Question: string;
  readonly Answer: string;
}

const checkWilder: ParityCheck = async (fixture) => {
  const config = fixture.config as HarnessFixture<WilderDoc, Judged> & { readonly first_request: Request };
  const { doc, response } = config.cases[0]!;
  const scored = config.cases.map((each) => parseReview(replyOf(each))).filter(isNumber);
  const { all } = scoreLlavaBench(scored.map((scores) => ({ category: 'wilder', scores })));
  const prompt = reviewPrompt({ question: doc.Question, reference: doc.Answer, answer: strip(response) });
  return worstOf([
    compareCases<WilderDoc, Judged>(
      fixture,
      (each) => ({
        scores: parseReview(replyOf(each)),
        'scores_0.7.2': parseReview(replyOf(each), 'stripped-line'),
      }),
      () => ({ gpt_eval_llava_all: all!.score, n: scored.length }),
    ),
    compareValues(prompt, textOf(config.first_request), 'first_request'),
  ]);
};

const checkDetailCaption: ParityCheck = async (fixture) => {
  const config = fixture.config as HarnessFixture<undefined, Judged> & { readonly first_request: Request };
  return worstOf([
    compareCases<undefined, Judged>(
      fixture,
      (each) => ({ score: readDetailCaptionScore(replyOf(each)) }),
      (scores) => ({ gpt_eval_avg_score: meanOf((scores as { score: number }[]).map(({ score }) => score)) }),
    ),
    compareValues(detailCaptionPrompt(strip(config.cases[0]!.response)), textOf(config.first_request), 'first_request'),
  ]);
};

interface LiveDoc {
  readonly question: string;
  readonly answer: string;
  readonly criteria: string;
  readonly subtask: string;
}

/** What the published code raises where ours does. */
function raised(score: () => unknown, error: string): unknown {
  try {
    return score();
  } catch (caught) {
    if (caught instanceof BenchmarkError) return { raises: error };
    throw caught;
  }
}

function liveBenchCheck(version: keyof typeof liveBenchSubtasks): ParityCheck {
  return async (fixture) => {
    const config = fixture.config as HarnessFixture<LiveDoc, Judged> & { readonly first_request: Request };
    const rate = ({ response, judge }: { readonly response: string } & Judged) => {
      if (strip(response) === '') return 0;
      const replies = judge.filter((reply) => reply !== '<HTTP error>').map(readLiveBenchReply);
      return replies.find((reply) => reply !== 'again') ?? -1;
    };
    const rows = config.cases.flatMap((each) => {
      const rating = rate(each);
      return rating === 'invalid' ? [] : [{ subtask: each.doc.subtask, rating: rating as number }];
    });
    const [subtask] = liveBenchSubtasks[version];
    const { doc, response } = config.cases[0]!;
    const prompt = liveBenchPrompt({ ...doc, reference: doc.answer, answer: strip(response) });
    return worstOf([
      compareCases<LiveDoc, Judged>(
        fixture,
        (each) => {
          const rating = rate(each);
          return rating === 'invalid' ? { raises: 'TypeError' } : { rating };
        },
        () => {
          const { score, subtasks } = scoreLiveBench(rows, { version });
          return {
            gpt4_eval_score: score,
            per_subtask: subtasks,
            unknown_subtask: raised(
              () => scoreLiveBench([{ subtask: 'further insights', rating: 1 }], { version }),
              'KeyError',
            ),
            all_failed: raised(() => scoreLiveBench([{ subtask, rating: -1 }], { version }), 'ZeroDivisionError'),
          };
        },
      ),
      compareValues(prompt, textOf(config.first_request), 'first_request'),
    ]);
  };
}

/** Benchmarks that a judge rates, with its replies. */
export const harnessReviewChecks: ParityChecks = {
  'eval/llava-in-the-wild': checkLlavaBench,
  'eval/llava-wilder': checkWilder,
  'eval/dc100': checkDetailCaption,
  'eval/livebench-v1': liveBenchCheck('v1'),
  'eval/livebench-v2': liveBenchCheck('v2'),
};
