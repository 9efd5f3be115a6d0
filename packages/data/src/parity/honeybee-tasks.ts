import { compareExactly, type Fixture, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import { boxText } from '../honeybee/box-text.js';
import type { Draws } from '../honeybee/draws.js';
import { type ExampleValues, patternPrompt } from '../honeybee/fill-pattern.js';
import {
  type Deduplication,
  deduplicated,
  groupExamples,
  isSeveral,
  type TaskExample,
} from '../honeybee/group-examples.js';
import { INSTRUCTION_PATTERNS, type InstructionPattern } from '../honeybee/instruction-patterns.js';
import { makeSamples, type RawAnnotations } from '../honeybee/make-samples.js';
import { listOptions, type OptionDecoration, type OptionStyle, optionMark } from '../honeybee/option-list.js';
import { type TaskConfigInput, taskConfigSchema } from '../honeybee/task-config.js';
import { drawSample } from '../honeybee/task-dataset.js';

type Draw = { readonly choice: number; readonly of: number } | { readonly shuffle: readonly number[] };

/** Takes the decisions that the reference took; another order or kind of decision gives no answer. */
function replay(draws: readonly Draw[]): Draws & { readonly left: () => number } {
  const rest = [...draws];
  return {
    choice: (count) => {
      const draw = rest.shift();
      return draw && 'choice' in draw && draw.of === count ? draw.choice : Number.NaN;
    },
    order: (count) => {
      const draw = rest.shift();
      return draw && 'shuffle' in draw && draw.shuffle.length === count ? draw.shuffle : [];
    },
    left: () => rest.length,
  };
}

interface TemplateRow {
  readonly dataset: string;
  readonly patterns: readonly InstructionPattern[] | null;
  readonly texts?: readonly {
    readonly pattern: number;
    readonly examples: readonly ExampleValues[];
    readonly image: boolean;
    readonly text: string;
  }[];
}

async function checkTemplates({ config }: Fixture): Promise<ParityResult> {
  const { datasets } = config as { readonly datasets: readonly TemplateRow[] };
  const known: Readonly<Record<string, readonly InstructionPattern[]>> = INSTRUCTION_PATTERNS;
  return worstOf(
    datasets.flatMap(({ dataset, patterns, texts = [] }) => {
      const ours = Object.hasOwn(known, dataset) ? known[dataset]! : null;
      return [
        compareExactly(ours, patterns, `${dataset}.patterns`),
        ...texts.map(({ pattern, examples, image, text }, index) =>
          compareExactly(ours && patternPrompt(ours[pattern]!, examples, image), text, `${dataset}.texts[${index}]`),
        ),
      ];
    }),
  );
}

interface PublishedConfig {
  readonly root?: string;
  readonly input_path?: string;
  readonly input_files?: readonly string[];
  readonly image_root_path?: string;
  readonly image_root?: string;
  readonly meta_root_path?: string;
  readonly split?: string;
  readonly nturn?: number;
  readonly bbox_coord_style?: number;
  readonly datanames?: readonly string[];
  readonly image_tokens?: readonly string[];
  readonly as_instruct?: boolean;
  readonly option?: OptionArguments;
  readonly dedup?: Deduplication | false;
}

/** The configuration of a published class as ours. */
function taskConfig(cls: string, given: PublishedConfig): unknown {
  const { root, input_path: file, input_files: files, image_root_path: folder, nturn: turns = 1, dedup } = given;
  const deduplicate = dedup || undefined;
  const options = optionSettings(given.option ?? {});
  const decimals = given.bbox_coord_style;
  const configs: Readonly<Record<string, () => object>> = {
    VQADataset: () => ({ type: 'vqa', root, split: given.split, turns, deduplicate }),
    GQADataset: () => ({ type: 'gqa', file: `${root}`, imageRoot: `${root}/images`, turns, deduplicate }),
    OCRVQATrainDataset: () => ({ type: 'ocrvqa', file, imageRoot: folder, split: given.split, turns, deduplicate }),
    VSRDataset: () => ({ type: 'vsr', file, imageRoot: folder, turns }),
    SQAInstructDataset: () => ({ type: 'sqa', files, imageRoot: folder, options }),
    AOKVQADataset: () => ({ type: 'aokvqa', file: root, imageRoot: given.image_root, turns, options }),
    RefExpLocDataset: () => ({
      type: 'refexp',
      root: given.meta_root_path,
      names: given.datanames,
      imageRoot: folder,
      turns,
      decimals,
      deduplicate,
    }),
    VGLocDataset: () => ({
      type: 'vgloc',
      root: given.meta_root_path,
      imageRoot: folder,
      turns,
      decimals,
      deduplicate,
    }),
    LLaVAInstructDataset: () => ({
      type: 'llava',
      files,
      imageRoot: folder,
      imageTexts: given.image_tokens,
      asCaptions: given.as_instruct === false,
    }),
    VicunaInstructDataset: () => ({ type: 'vicuna', files }),
  };
  return configs[cls]?.();
}

function rawAnnotations({ type }: TaskConfigInput, raw: unknown): RawAnnotations {
  if (type === 'gqa' || type === 'ocrvqa') return { entries: Object.entries(raw as object) };
  if (type === 'vqa' || type === 'vgloc') return raw as RawAnnotations;
  return { list: type === 'refexp' ? [raw] : raw };
}

interface DatasetRow {
  readonly cls: string;
  readonly config: PublishedConfig;
  readonly raw: unknown;
  readonly items: readonly {
    readonly image: string | null;
    readonly task_type: string;
    readonly draws: readonly Draw[];
    readonly text: string;
    readonly examples: number | null;
  }[];
}

async function checkConversations({ config: { datasets } }: { config: { datasets: readonly DatasetRow[] } }) {
  return worstOf(
    datasets.flatMap(({ cls, config: published, raw, items }, row) => {
      const parsed = taskConfigSchema.safeParse(taskConfig(cls, published));
      if (!parsed.success) return [compareExactly(cls, 'a known class of data set', `datasets[${row}]`)];
      const config = parsed.data;
      const { samples, taskType, patterns } = makeSamples(config, rawAnnotations(config, raw));
      const choices = patterns === undefined ? [] : INSTRUCTION_PATTERNS[patterns];
      // Samples come round again, with other draws.
      return items.map((item, index) => {
        const sample = samples[index % samples.length]!;
        const draws = replay(item.draws);
        const drawn = drawSample(sample, choices, 'options' in config ? config.options : {}, draws);
        const computed = {
          image: drawn.image,
          task_type: taskType,
          draws: draws.left(),
          text: drawn.prompt,
          examples: 'examples' in sample ? sample.examples.length : null,
        };
        return compareExactly(computed, { ...item, draws: 0 }, `datasets[${row}].items[${index}]`);
      });
    }),
  );
}

interface OptionArguments {
  readonly shuffle?: boolean;
  readonly aug_idx_style?: boolean;
  readonly include_answer_str?: boolean;
  readonly sep?: string;
}

const optionSettings = ({ shuffle, aug_idx_style, include_answer_str, sep }: OptionArguments) => ({
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
  readonly bbox: readonly {
    readonly [name in 'x' | 'y' | 'w' | 'h' | 'W' | 'H']: number;
  } &
    { readonly style: number; readonly text: string }[];
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

/** From annotations to conversations. */
export const honeybeeTaskChecks: ParityChecks = {
  'honeybee/templates': checkTemplates,
  'honeybee/conversations': (fixture) => checkConversations(fixture as never),
  'honeybee/options': checkOptions,
  'honeybee/multi_turn': checkMultiTurn,
};
