import { z } from 'zod';
import { ConversationError } from './conversation-error.js';
import { TEMPLATES, type TemplateName } from './templates.js';

export { TEMPLATES, type TemplateName } from './templates.js';

/** The form of a {@link ConversationTemplate}, for configurations that hold one. */
export const conversationTemplateSchema = z.strictObject({
  name: z.string(),
  begin: z.string().optional(),
  bos: z.boolean().optional(),
  system: z.string(),
  systemPrefix: z.string().optional(),
  systemSuffix: z.string(),
  systemPlace: z.enum(['front', 'question']).optional(),
  roundPrefix: z.string().optional(),
  userPrefix: z.string(),
  userSuffix: z.string(),
  assistantPrefix: z.string(),
  answerPrefix: z.string(),
  answerSuffix: z.string(),
  endOfSequence: z.boolean(),
  trim: z.boolean().optional(),
  images: z.enum(['own-turn', 'front', 'in-place', 'only']),
  joined: z.boolean(),
  trainedHeader: z.boolean().optional(),
  trainedMarks: z.array(z.string().min(1)).optional(),
  stop: z.array(z.string().min(1)).optional(),
});

/** How a conversation becomes text. Plain data: a model that expects another frame needs another object, no code. */
export interface ConversationTemplate {
  readonly name: string;
  /** In front of everything, such as `<|begin_of_text|>`. Default: nothing. */
  readonly begin?: string | undefined;
  /**
   * Whether the sequence begins with the tokenizer's own bos. Default true; false where {@link begin} is the bos and
   * there must not be two.
   */
  readonly bos?: boolean | undefined;
  /** First sentence; a system turn of the conversation takes its place. May be empty. */
  readonly system: string;
  /** Around the system text, unless that is empty. The prefix is empty by default. */
  readonly systemPrefix?: string | undefined;
  readonly systemSuffix: string;
  /** Whether the system text stands in front (default), or at the beginning of the first question (LLaMA-2). */
  readonly systemPlace?: 'front' | 'question' | undefined;
  /** In front of every user's turn but the first. Default: nothing. */
  readonly roundPrefix?: string | undefined;
  /** Around the text of the user. */
  readonly userPrefix: string;
  readonly userSuffix: string;
  /** The mark after which the assistant speaks. A prompt for generation ends with it. */
  readonly assistantPrefix: string;
  /** Around the answer; trained like the answer itself. */
  readonly answerPrefix: string;
  readonly answerSuffix: string;
  /** Whether a trained end-of-sequence token follows every answer. */
  readonly endOfSequence: boolean;
  /** Whether white space around every text is dropped (LLaMA-3). Default false. */
  readonly trim?: boolean | undefined;
  /**
   * - `own-turn`: a marker at the beginning or end of a turn becomes a turn of its own; others stay (Honeybee)
   * - `front`: the only marker of a turn goes in front of its text, on a line of its own; several stay (LLaVA)
   * - `in-place`: markers stay where they are
   * - `only`: a caption; the user's turn shrinks to its images
   */
  readonly images: 'own-turn' | 'front' | 'in-place' | 'only';
  /**
   * Whether marks and texts between two images are tokenized as one text, so that tokens may cover their seams
   * (LLaVA), or each on its own (Honeybee). The seam between prompt and answer is never covered.
   */
  readonly joined: boolean;
  /** Whether {@link assistantPrefix} is trained with the answer that follows it (Qwen). Default false. */
  readonly trainedHeader?: boolean | undefined;
  /** Texts of tokens that are trained wherever they stand, also in questions (Qwen). Default: none. */
  readonly trainedMarks?: readonly string[] | undefined;
  /** Texts that end a generated answer, besides the end of sequence. Default: none. */
  readonly stop?: readonly string[] | undefined;
}

/**
 * The template of a name; a template is returned as it is.
 *
 * @throws ConversationError listing the valid names
 */
export function getTemplate(template: TemplateName | ConversationTemplate): ConversationTemplate {
  if (typeof template !== 'string') return template;
  if (!Object.hasOwn(TEMPLATES, template)) {
    throw new ConversationError({
      operation: 'getTemplate',
      expected: `one of ${Object.keys(TEMPLATES).join(', ')}`,
      received: JSON.stringify(template),
      remedy: 'choose one of these, or pass a template of your own',
      value: template,
    });
  }
  return TEMPLATES[template];
}
