import {
  type ExampleValues,
  IMAGE_MARKER,
  INSTRUCTION_PATTERNS,
  listOptions,
  type PatternName,
  patternPrompt,
  TEMPLATES,
} from '@ocelli/data';

const letters = ['A', 'B', 'C', 'D', 'E'] as const;

/** What Honeybee writes for an option or a hint that a question does not have. */
const missing = 'N/A';

const optionsLine = 'There are several options:';

function filled(pattern: PatternName, values: ExampleValues, hasImage = true): string {
  return patternPrompt(INSTRUCTION_PATTERNS[pattern][0], [values], hasImage);
}

/** Options a line each: `A. one`. */
function optionLines(choices: readonly string[]): string {
  return listOptions(choices, 0, {}, { choice: () => 0, order: () => [] }).option;
}

/** A row of MMBench; what a question does not have is null or absent. */
export interface HoneybeeMmbenchItem extends Readonly<Partial<Record<(typeof letters)[number], string | null>>> {
  readonly question: string;
  readonly hint?: string | null | undefined;
}

/** The five options of a question of MMBench as Honeybee lists them: those that are missing are `N/A`. */
export function honeybeeMmbenchOptions(item: HoneybeeMmbenchItem): Record<string, string> {
  return Object.fromEntries(letters.map((letter) => [letter, item[letter] ?? missing]));
}

/** Long system text and a bare question: those that a judge grades. */
function instructionPrompt(question: string): string {
  const { system, userPrefix, assistantPrefix } = TEMPLATES.honeybee_instruction;
  return system + userPrefix + IMAGE_MARKER + userPrefix + question + assistantPrefix;
}

/**
 * Prompts of Honeybee's evaluation, up to where the model answers, as its tokenizer takes them (see
 * `segmentHoneybeePrompt` of `@ocelli/data`). Byte for byte as published: MMBench's list always goes to E, and a missing
 * hint or option is the text `N/A`; MMMU's questions keep `<image 1>`.
 *
 * Source: khanrc/honeybee `tasks/`.
 */
export const honeybeePrompts = {
  mmbench(item: HoneybeeMmbenchItem): string {
    const options = Object.entries(honeybeeMmbenchOptions(item)).map(([letter, text]) => `${letter}. ${text}\n`);
    const context = `${item.question}\nContext: ${item.hint ?? missing}\n`;
    return filled('mmb', { question: `${context}${optionsLine}\n${options.join('')}` });
  },
  seed({ question, choices }: { readonly question: string; readonly choices: readonly string[] }): string {
    return filled('mmb', { question: `${question}\n${optionsLine}\n${optionLines(choices)}\n` });
  },
  /** A question without an image has no line for one. */
  scienceQa({
    question,
    context,
    choices,
    hasImage,
  }: {
    readonly question: string;
    readonly context: string;
    readonly choices: readonly string[];
    readonly hasImage: boolean;
  }): string {
    return filled('eval-sqa', { question, context, option: optionLines(choices) }, hasImage);
  },
  pope({ question }: { readonly question: string }): string {
    return filled('eval-vqa', { question });
  },
  mme({ question }: { readonly question: string }): string {
    return filled('mme', { question });
  },
  /** Without choices the question is open. */
  mmmu({ question, choices }: { readonly question: string; readonly choices: readonly string[] }): string {
    if (choices.length === 0) return filled('eval-vqa', { question });
    return filled('mmb', { question: `${question}\n${optionsLine}\n${optionLines(choices)}\n` });
  },
  mmVet({ question }: { readonly question: string }): string {
    return instructionPrompt(question);
  },
  llavaBench({ question }: { readonly question: string }): string {
    return instructionPrompt(question);
  },
} as const;
