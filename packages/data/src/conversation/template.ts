import { ConversationError } from './conversation-error.js';

/** How a conversation becomes text. Plain data: a model that expects another frame needs another object, no code. */
export interface ConversationTemplate {
  readonly name: string;
  /** First sentence; a system turn of the conversation takes its place. May be empty. */
  readonly system: string;
  /** Follows the system text, unless that is empty. */
  readonly systemSuffix: string;
  /** Around the text of the user. */
  readonly userPrefix: string;
  readonly userSuffix: string;
  /** The mark after which the assistant speaks; never trained. A prompt for generation ends with it. */
  readonly assistantPrefix: string;
  /** Around the answer; trained like the answer itself. */
  readonly answerPrefix: string;
  readonly answerSuffix: string;
  /** Whether a trained end-of-sequence token follows every answer. */
  readonly endOfSequence: boolean;
  /**
   * - `own-turn`: a marker at the beginning or end of a turn becomes a turn of its own; others stay (Honeybee)
   * - `front`: the only marker of a turn goes in front of its text, on a line of its own; several stay (LLaVA)
   * - `only`: a caption; the user's turn shrinks to its images
   */
  readonly images: 'own-turn' | 'front' | 'only';
  /**
   * Whether marks and texts between two images are tokenized as one text, so that tokens may cover their seams
   * (LLaVA), or each on its own (Honeybee). The seam between prompt and answer is never covered.
   */
  readonly joined: boolean;
}

const CAPTION = {
  system: '',
  systemSuffix: '',
  userPrefix: '',
  userSuffix: '',
  assistantPrefix: '',
  answerPrefix: '',
  answerSuffix: '',
  endOfSequence: true,
  images: 'only',
  joined: false,
} as const satisfies Omit<ConversationTemplate, 'name'>;

const HONEYBEE = {
  system: 'The following is a conversation between a curious human and AI assistant.',
  systemSuffix: '',
  userPrefix: '\nHuman: ',
  userSuffix: '',
  assistantPrefix: '\nAI: ',
  answerPrefix: '',
  answerSuffix: '',
  endOfSequence: true,
  images: 'own-turn',
  joined: false,
} as const satisfies Omit<ConversationTemplate, 'name'>;

const HELPFUL = "The assistant gives helpful, detailed, and polite answers to the user's questions.";

/** The templates of the published systems. */
export const TEMPLATES = {
  /** Honeybee (arXiv 2312.06742), most data sets. */
  honeybee_default: { name: 'honeybee_default', ...HONEYBEE },
  /** Honeybee, instruction data (LLaVA150K, ShareGPT) and free-form benchmarks. */
  honeybee_instruction: { name: 'honeybee_instruction', ...HONEYBEE, system: `${HONEYBEE.system} ${HELPFUL}` },
  /** Vicuna v1.1, as LLaVA-1.5 and its descendants use it. */
  vicuna_v1: {
    name: 'vicuna_v1',
    system: `A chat between a curious user and an artificial intelligence assistant. ${HELPFUL}`,
    systemSuffix: ' ',
    userPrefix: 'USER: ',
    userSuffix: ' ',
    assistantPrefix: 'ASSISTANT:',
    answerPrefix: ' ',
    answerSuffix: '',
    endOfSequence: true,
    images: 'front',
    joined: true,
  },
  /** Image and caption, ended by an end-of-sequence token (Honeybee). */
  plain: { name: 'plain', ...CAPTION },
  /** Image and caption, ended by a trained newline and no end of sequence (LLaVA's alignment stage). */
  llava_plain: { name: 'llava_plain', ...CAPTION, answerSuffix: '\n', endOfSequence: false },
} as const satisfies Record<string, ConversationTemplate>;

export type TemplateName = keyof typeof TEMPLATES;

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
