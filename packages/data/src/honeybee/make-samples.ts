import { posix } from 'node:path';
import { type ExampleGroup, groupExamples, type ImageExample } from './group-examples.js';
import type { PatternName } from './instruction-patterns.js';
import { llavaConversations, vicunaConversations, type WrittenConversation } from './instructions.js';
import type { JsonItem } from './json-items.js';
import { aokvqaExamples, scienceQaExamples } from './multiple-choice.js';
import { gqaExamples, ocrVqaExamples, vqaExamples, vsrExamples } from './question-answering.js';
import { referringExamples, visualGenomeExamples } from './regions.js';
import type { TaskConfig } from './task-config.js';

/** One sample of a data set: examples to make a conversation of, or a conversation as it is written. */
export type TaskSample = ExampleGroup | WrittenConversation;

/** Annotations as they were read, one entry a file. */
export type RawAnnotations =
  | { readonly list: unknown }
  | { readonly entries: Iterable<JsonItem> }
  | { readonly questions: unknown; readonly annotations: unknown }
  | { readonly images: unknown; readonly regions: unknown };

/** A data set's samples, and what they are. */
export interface TaskSamples {
  /** Task and, behind an underscore, the kind of processing: `vqa`, `loc` or `inst`. */
  readonly taskType: string;
  readonly samples: readonly TaskSample[];
  /** Which patterns make conversations of the examples; undefined where they are written already. */
  readonly patterns: PatternName | undefined;
}

/**
 * Makes samples of annotations.
 *
 * @throws ConversationError naming what is wrong with the annotations
 */
export function makeSamples(config: TaskConfig, raw: RawAnnotations): TaskSamples {
  const list = 'list' in raw ? raw.list : undefined;
  const entries = 'entries' in raw ? raw.entries : [];
  const grouped = (taskType: string, patterns: PatternName, examples: readonly ImageExample[]): TaskSamples => {
    const turns = 'turns' in config ? config.turns : 1;
    const deduplicate = 'deduplicate' in config ? config.deduplicate : undefined;
    return { taskType, patterns, samples: groupExamples(examples, { turns, deduplicate }) };
  };
  switch (config.type) {
    case 'vqa':
      return grouped('vqa_vqa', 'vqa', vqaExamples(raw as never, posix.join(config.root, 'images')));
    case 'gqa':
      return grouped('gqa_vqa', 'gqa', gqaExamples(entries, config.imageRoot));
    case 'ocrvqa':
      return grouped('ocrvqa_vqa', 'ocrvqa', ocrVqaExamples(entries, config.imageRoot, config.split));
    case 'vsr':
      return grouped('vsr_vqa', 'vsr', vsrExamples(list, config.imageRoot, config.questionForm));
    case 'sqa':
      return grouped('sqa_vqa', 'sqa', scienceQaExamples(list, config.imageRoot));
    case 'aokvqa':
      return grouped('aokvqa_vqa', 'aokvqa', aokvqaExamples(list, config.imageRoot));
    case 'refexp': {
      const [name, ...others] = config.names;
      const patterns = others.length > 0 ? 'refexploc' : REFERRING_PATTERNS[name!];
      const examples = (list as readonly unknown[]).flatMap((file) =>
        referringExamples(file, config.imageRoot, config.decimals),
      );
      return grouped(`${others.length > 0 ? 'refexp' : name}_loc`, patterns, examples);
    }
    case 'vgloc':
      return grouped('vgloc_loc', 'vgloc', visualGenomeExamples(raw as never, config.imageRoot, config.decimals));
    case 'llava': {
      const { asCaptions, imageTexts } = config;
      const samples = llavaConversations(list, config.imageRoot, { asCaptions, ...(imageTexts ? { imageTexts } : {}) });
      return { taskType: 'llava_inst', patterns: undefined, samples };
    }
    case 'vicuna':
      return { taskType: 'vicuna_inst', patterns: undefined, samples: vicunaConversations(list) };
  }
}

const REFERRING_PATTERNS = { refcoco: 'refcoco', 'refcoco+': 'refcocop', refcocog: 'refcocog' } as const;
