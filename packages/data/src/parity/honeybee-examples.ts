import { compareExactly, type Fixture, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import { boxText } from '../honeybee/box-text.js';
import type { ExampleValues } from '../honeybee/fill-pattern.js';
import {
  type Deduplication,
  deduplicated,
  groupExamples,
  isSeveral,
  type TaskExample,
} from '../honeybee/group-examples.js';
import { listOptions, type OptionDecoration, type OptionStyle, optionMark } from '../honeybee/option-list.js';
import { type Draw, replay } from './replay-draws.js';

/** Arguments of the published function. */
export interface OptionArguments {
  readonly shuffle?: boolean;
  readonly aug_idx_style?: boolean;
  readonly include_answer_str?: boolean;
  readonly sep?: string;
}

export const optionSettings = ({ shuffle, aug_idx_style, include_answer_str, sep }: OptionArguments) => ({
  shuffle,
  randomStyle: aug_idx_style,
  answerText: include_answer_str,
  separator: sep,
});

interface OptionsConfig {
  readonly optionize: readonly {
    readonly options: readonly string[];
    readonly answer_idx: number;
    readonly arguments: OptionArguments;
    readonly draws: readonly Draw[];
    readonly option: string;
    readonly answer: string;
  }[];
  readonly idx2option: readonly { index: number; style: OptionStyle; deco: OptionDecoration | null; text: string }[];
}

async function checkOptions({ config }: Fixture): Promise<ParityResult> {
  const { optionize, idx2option: marks } = config as OptionsConfig;
  return worstOf([
    ...optionize.map(({ options, answer_idx: index, arguments: given, draws, option, answer }, row) =>
      compareExactly(
        listOptions(options, index, optionSettings(given), replay(draws)),
        { option, answer },
        `optionize[${row}]`,
      ),
    ),
    ...marks.map(({ index, style, deco, text }, row) =>
      compareExactly(optionMark(index, style, deco ?? undefined), text, `idx2option[${row}]`),
    ),
  ]);
}

interface MultiTurnConfig {
  readonly dedup: readonly {
    readonly cluster: readonly ExampleValues[];
    readonly arguments: Partial<Deduplication>;
    readonly result: unknown;
  }[];
  readonly finalize: {
    readonly raw: readonly (readonly [string | null, ExampleValues])[];
    readonly cases: readonly {
      readonly nturn: number;
      readonly dedup: Deduplication | false | null;
      readonly items: readonly { readonly image?: string; readonly task_type: string; readonly examples: unknown }[];
    }[];
  };
  readonly bbox: readonly (Readonly<Record<'x' | 'y' | 'w' | 'h' | 'W' | 'H' | 'style', number>> & {
    readonly text: string;
  })[];
}

const exampleOf = (values: ExampleValues): TaskExample => ({ values });
const plain = (entries: readonly (TaskExample | readonly TaskExample[])[]) =>
  entries.map((entry) => (isSeveral(entry) ? entry.map(({ values }) => values) : entry.values));

async function checkMultiTurn({ config }: Fixture): Promise<ParityResult> {
  const { dedup, finalize, bbox } = config as MultiTurnConfig;
  const raw = finalize.raw.map(([image, values]) => [image, exampleOf(values)] as const);
  return worstOf([
    ...dedup.map(({ cluster, arguments: given, result }, row) => {
      // The published function keeps the first by default, the data sets draw one.
      const ours = deduplicated(cluster.map(exampleOf), { key: 'answer', online: false, ...given });
      return compareExactly(plain(ours), result, `dedup[${row}]`);
    }),
    ...finalize.cases.map(({ nturn: turns, dedup: given, items }, row) => {
      const ours = groupExamples(raw, { turns, deduplicate: given || undefined });
      return compareExactly(
        ours.map(({ image, examples }) => ({ image, examples: plain(examples) })),
        items.map(({ image = null, examples }) => ({ image, examples })),
        `finalize[${row}]`,
      );
    }),
    ...bbox.map(({ x, y, w, h, W, H, style, text }, row) =>
      compareExactly(boxText([x, y, w, h], { width: W, height: H }, style), text, `bbox[${row}]`),
    ),
  ]);
}

/** What conversations are made of. */
export const honeybeeExampleChecks: ParityChecks = {
  'honeybee/options': checkOptions,
  'honeybee/multi_turn': checkMultiTurn,
};
