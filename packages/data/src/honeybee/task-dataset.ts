import { join } from 'node:path';
import { parseConfig } from '@ocelli/core-tensor';
import { allInOrder } from '../all-in-order.js';
import { type Conversation, countMarkers, type Turn } from '../conversation/conversation.js';
import { readRecords } from '../conversation/read-conversations.js';
import type { TemplateName } from '../conversation/template.js';
import { type Dataset, modalityLength } from '../loader/dataset.js';
import { fold, type RandomKey, randomKey } from '../random.js';
import { type Draws, drawsOf } from './draws.js';
import { type ExampleValues, patternPrompt, patternTurns } from './fill-pattern.js';
import { type ExampleGroup, isSeveral } from './group-examples.js';
import { INSTRUCTION_PATTERNS, type InstructionPattern, NO_PROMPT } from './instruction-patterns.js';
import { jsonEntries, jsonList } from './json-items.js';
import { makeSamples, type RawAnnotations, type TaskSample, type TaskSamples } from './make-samples.js';
import { listOptions, type OptionListSettings } from './option-list.js';
import { type TaskConfig, type TaskConfigInput, taskConfigSchema } from './task-config.js';

/** A sample with all decisions taken. */
export interface DrawnSample {
  readonly image: string | null;
  readonly turns: readonly Turn[];
  readonly template: TemplateName;
  /** The text that Honeybee's tokenizer takes, see `segmentHoneybeePrompt`. */
  readonly prompt: string;
}

/**
 * Takes the decisions of a sample: for each turn which of several examples, then the order of its options; last the
 * pattern.
 */
export function drawSample(
  sample: TaskSample,
  patterns: readonly InstructionPattern[],
  options: OptionListSettings,
  draws: Draws,
): DrawnSample {
  if ('turns' in sample) return sample;
  const examples = drawExamples(sample, options, draws);
  const pattern = patterns[draws.choice(patterns.length)]!;
  const hasImage = sample.image !== null;
  return {
    image: sample.image,
    turns: patternTurns(pattern, examples, hasImage),
    template: pattern.instruction === NO_PROMPT ? 'plain' : 'honeybee_default',
    prompt: patternPrompt(pattern, examples, hasImage),
  };
}

function drawExamples({ examples }: ExampleGroup, settings: OptionListSettings, draws: Draws): ExampleValues[] {
  return examples.map((entry) => {
    const { values, options } = isSeveral(entry) ? entry[draws.choice(entry.length)]! : entry;
    return options === undefined
      ? values
      : { ...values, ...listOptions(options.choices, options.answer, settings, draws) };
  });
}

/**
 * Reads a data set of Honeybee's recipe from its published files. Its conversations carry the template that Honeybee
 * renders them with.
 *
 * @throws ConfigError naming the field of the configuration at fault
 * @throws ConversationError naming the file or the annotation at fault
 */
export async function readTaskDataset(name: string, input: TaskConfigInput): Promise<Dataset> {
  const config: TaskConfig = parseConfig('readTaskDataset', taskConfigSchema, input);
  return taskDataset(name, config, makeSamples(config, await readAnnotations(config)));
}

/**
 * A data set of samples that are in memory. The examples and the pattern of a sample are drawn anew each time, so its
 * length is that of one such draw, always the same one.
 */
export function taskDataset(name: string, config: TaskConfig, { samples, patterns }: TaskSamples): Dataset {
  const own = 'patterns' in config ? config.patterns?.map((pattern) => ({ instruction: '', ...pattern })) : undefined;
  const choices = own ?? (patterns === undefined ? [] : INSTRUCTION_PATTERNS[patterns]);
  const options = 'options' in config ? config.options : {};
  const fallback = fold(randomKey(0), name);
  const draw = (index: number, key: RandomKey = fold(fallback, index)) => {
    const sample = drawSample(samples[index]!, choices, options, drawsOf(key));
    return conversationOf(`${name}#${index}`, sample);
  };
  return {
    name,
    size: samples.length,
    get: draw,
    lengths: () => samples.map((_, index) => modalityLength(draw(index))),
  };
}

/** An image that no question mentions has no place in the text. */
function conversationOf(id: string, { image, turns, template }: DrawnSample): Conversation {
  const markers = turns.reduce((sum, { text }) => sum + countMarkers(text), 0);
  return { id, images: image === null ? [] : new Array<string>(markers).fill(image), turns, template };
}

async function readAnnotations(config: TaskConfig): Promise<RawAnnotations> {
  switch (config.type) {
    case 'vqa': {
      const { root, split } = config;
      return {
        questions: Object.fromEntries(await jsonEntries(join(root, `v2_OpenEnded_mscoco_${split}2014_questions.json`))),
        annotations: Object.fromEntries(await jsonEntries(join(root, `v2_mscoco_${split}2014_annotations.json`))),
      };
    }
    case 'gqa':
    case 'ocrvqa':
      return { entries: await jsonEntries(config.file) };
    case 'refexp': {
      const files = config.names.map((name) => join(config.root, `finetune_${name}_train.json`));
      return { list: await allInOrder(files.map(async (file) => Object.fromEntries(await jsonEntries(file)))) };
    }
    case 'vgloc':
      return {
        images: await jsonList(join(config.root, 'image_data.json')),
        regions: await jsonList(join(config.root, 'region_descriptions.json')),
      };
    case 'vsr':
    case 'aokvqa':
      return { list: await readRecords(config.file) };
    case 'sqa':
    case 'llava':
    case 'vicuna':
      return { list: (await allInOrder(config.files.map(readRecords))).flat() };
  }
}
