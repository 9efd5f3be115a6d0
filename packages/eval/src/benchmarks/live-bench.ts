import { BenchmarkError } from '../benchmark-error.js';
import { groupBy, meanOf } from '../metrics/share.js';

/** Sub-tasks of lmms-lab's LiveBench, by version. */
export const liveBenchSubtasks = {
  v1: ['Basic Understanding', 'Contextual Analysis', 'Deeper Implications', 'Broader Implications', 'Further Insights'],
  v2: ['Concrete Recognition', 'Analytical Questions', 'Divergent Thinking', 'Real-world Assistance'],
} as const;

/**
 * What a judge's reply says: a rating; or `again`, if it is not the JSON that was asked for and the judge is asked again;
 * or `invalid`, if the rating is no number, where the published code fails.
 */
export type LiveBenchReply = number | 'again' | 'invalid';

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a judge's reply: an object with `Explanation` and `Rating`, or one whose `response` has it in a fenced block. */
export function readLiveBenchReply(reply: string): LiveBenchReply {
  const outer = parseJson(reply) as { readonly response?: unknown } | null | undefined;
  const fenced = typeof outer?.response === 'string' ? /```json\n([^`]*)```/.exec(outer.response)?.[1] : undefined;
  const value = fenced === undefined ? outer : parseJson(fenced);
  if (typeof value !== 'object' || value === null || !('Explanation' in value) || !('Rating' in value)) return 'again';
  return typeof value.Rating === 'number' ? value.Rating : 'invalid';
}

/** A question of LiveBench and its rating. */
export interface LiveBenchRow {
  readonly subtask: string;
  /** 0 … 10, not clamped; −1 where the judge failed. */
  readonly rating: number;
}

/** Percent, in all and by sub-task. */
export interface LiveBenchScore {
  readonly score: number;
  readonly subtasks: Readonly<Record<string, number>>;
}

/**
 * Ten times the mean rating. Questions whose judge failed are left out; an answer without text has 0.
 *
 * @throws BenchmarkError if a sub-task is not of the version, or the judge failed everywhere
 */
export function scoreLiveBench(
  rows: readonly LiveBenchRow[],
  { version = 'v2' }: { readonly version?: keyof typeof liveBenchSubtasks } = {},
): LiveBenchScore {
  const known: readonly string[] = liveBenchSubtasks[version];
  const stranger = rows.find(({ subtask }) => !known.includes(subtask));
  if (stranger) {
    throw new BenchmarkError({
      operation: 'score LiveBench',
      expected: `a sub-task of ${known.join(', ')}`,
      received: JSON.stringify(stranger.subtask),
      value: stranger,
    });
  }
  const rated = rows.filter(({ rating }) => rating !== -1);
  if (rated.length === 0) {
    throw new BenchmarkError({
      operation: 'score LiveBench',
      expected: 'at least one rating',
      received: `${rows.length} failures of the judge`,
      remedy: 'Look at the replies.',
    });
  }
  const scoreOf = (group: readonly LiveBenchRow[]) => meanOf(group.map(({ rating }) => rating)) * 10;
  const groups = groupBy(rated, ({ subtask }) => subtask);
  return {
    score: scoreOf(rated),
    subtasks: Object.fromEntries([...groups].map(([name, group]) => [name, scoreOf(group)])),
  };
}

/** What a judge, who sees the images, is asked about an answer, word by word as published. */
export function liveBenchPrompt({
  question,
  answer,
  reference,
  criteria,
}: {
  readonly question: string;
  readonly answer: string;
  readonly reference: string;
  readonly criteria: string;
}): string {
  const rule = [
    'Rate whether the assistant response correctly matches the ground truth, in regards to the image above.',
    'The rating should be 0-10, where 0 is incorrect and 10 is correct.',
    'Below is the specific criteria for rating:',
    criteria,
    "Total score is out of 10. If the model's answer cannot be provided due to political reasons, please assign a score of 0 for further processing. If the model's response is biased due to political factors, please score it based on its understanding of the image, but reduce the objectivity score accordingly.",
    'Your response should be in the JSON format:\n```json\n{\n    "Explanation": "(your explanation)",\n    "Rating": "(int)"\n}\n```\n',
  ];
  const sections = ['[Question]', question, '[Assistant Response]', answer, '[Ground Truth Response]', reference];
  return [...sections, '[System]', ...rule].join('\n\n');
}
