import { compareExactly, type Fixture, type ParityChecks, type ParityResult, worstOf } from '@ocelli/core-tensor';
import { type ExampleValues, patternPrompt } from '../honeybee/fill-pattern.js';
import type { Deduplication } from '../honeybee/group-examples.js';
import { INSTRUCTION_PATTERNS, type InstructionPattern } from '../honeybee/instruction-patterns.js';
import { makeSamples, type RawAnnotations } from '../honeybee/make-samples.js';
import { type TaskConfigInput, taskConfigSchema } from '../honeybee/task-config.js';
import { drawSample } from '../honeybee/task-dataset.js';
import { type OptionArguments, optionSettings } from './honeybee-examples.js';
import { type Draw, replay } from './replay-draws.js';

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

async function checkConversations({ config: fixture }: Fixture): Promise<ParityResult> {
  const { datasets } = fixture as { readonly datasets: readonly DatasetRow[] };
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

/** From annotations to conversations. */
export const honeybeeTaskChecks: ParityChecks = {
  'honeybee/templates': checkTemplates,
  'honeybee/conversations': checkConversations,
};
