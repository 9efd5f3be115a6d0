import { IMAGE_MARKER, type Turn } from '../conversation/conversation.js';
import { ConversationError } from '../conversation/conversation-error.js';
import { TEMPLATES } from '../conversation/template.js';
import { type InstructionPattern, NO_PROMPT } from './instruction-patterns.js';

/** Values by the names that patterns have for them, such as `question` and `answer`. */
export type ExampleValues = Readonly<Record<string, string>>;

const { system: SYSTEM, userPrefix: HUMAN, assistantPrefix: AI } = TEMPLATES.honeybee_default;

/** Puts values in place of `{name}`, each once: braces inside values are text. */
function fill(text: string, values: ExampleValues): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (Object.hasOwn(values, name)) return values[name]!;
    throw new ConversationError({
      operation: 'fill pattern',
      expected: `a value for {${name}}`,
      received: Object.keys(values).join(', ') || 'none',
      remedy: 'use a pattern of this data set',
      value: values,
    });
  });
}

/**
 * The turns of a conversation over some examples, the image in front of the first question. A caption is the answer to
 * the image alone.
 *
 * @throws ConversationError if an example lacks a value, or there are several captions
 */
export function patternTurns(
  pattern: InstructionPattern,
  examples: readonly ExampleValues[],
  hasImage: boolean,
): Turn[] {
  if (pattern.instruction === NO_PROMPT) {
    return [
      { role: 'user', text: IMAGE_MARKER },
      { role: 'assistant', text: captionOf(pattern, examples) },
    ];
  }
  return examples.flatMap((values, index): Turn[] => {
    const marker = hasImage && index === 0 ? `${IMAGE_MARKER}\n` : '';
    const answer = fill(pattern.target, values);
    const question: Turn = { role: 'user', text: marker + fill(pattern.input, values) };
    return pattern.target === '' ? [question] : [question, { role: 'assistant', text: answer }];
  });
}

/**
 * The same conversation as the text that Honeybee's tokenizer takes (see {@link segmentHoneybeePrompt}). Without targets
 * it ends where the model answers.
 *
 * @throws ConversationError if an example lacks a value, or there are several captions
 */
export function patternPrompt(
  pattern: InstructionPattern,
  examples: readonly ExampleValues[],
  hasImage: boolean,
): string {
  if (pattern.instruction === NO_PROMPT) return `${NO_PROMPT} ${IMAGE_MARKER} ${captionOf(pattern, examples)}`;
  const opening = pattern.instruction === '' ? SYSTEM : `${SYSTEM} ${pattern.instruction}`;
  const turns = examples.map((values) => HUMAN + fill(pattern.input, values) + AI + fill(pattern.target, values));
  return opening + (hasImage ? HUMAN + IMAGE_MARKER : '') + turns.join('');
}

function captionOf(pattern: InstructionPattern, examples: readonly ExampleValues[]): string {
  if (examples.length === 1) return fill(pattern.target, examples[0]!);
  throw new ConversationError({
    operation: 'fill pattern',
    expected: 'one caption',
    received: `${examples.length} examples`,
    remedy: 'group captions one by one',
    value: examples,
  });
}
