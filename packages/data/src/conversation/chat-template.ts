import { Environment, Interpreter, Template } from '@huggingface/jinja';
import { ConversationError } from './conversation-error.js';

/** A message as chat templates take it. */
export interface ChatMessage {
  readonly role: string;
  readonly content: unknown;
  readonly [field: string]: unknown;
}

export interface ChatTemplateOptions {
  /** Whether the text ends with the mark after which the assistant speaks. Default false. */
  readonly addGenerationPrompt?: boolean;
  /** Texts of special tokens by name, such as `bos_token`: `specialTokens` of a tokenizer. */
  readonly specialTokens?: Readonly<Record<string, string>>;
  /** Further variables of the template, such as `tools`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** What `strftime_now` calls now, in UTC. Default: the time of the call. */
  readonly now?: Date;
}

/**
 * Renders messages with the Jinja template of a checkpoint, as Hugging Face's `apply_chat_template` does: a newline
 * behind a block and white space in front of one are dropped, the template may call `raise_exception` and
 * `strftime_now`. Special tokens are part of the text: tokenize it with `{ addSpecialTokens: false }`.
 *
 * @throws ConversationError if the template does not parse, fails, or refuses the messages
 */
export function renderChatTemplate(
  template: string,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions = {},
): string {
  const { addGenerationPrompt = false, specialTokens = {}, variables = {}, now = new Date() } = options;
  try {
    return render(parsed(template), {
      ...CONSTANTS,
      raise_exception: (message: string) => {
        throw new Error(message);
      },
      range,
      strftime_now: (format: string) => strftime(now, format),
      ...specialTokens,
      ...variables,
      messages,
      add_generation_prompt: addGenerationPrompt,
    });
  } catch (cause) {
    throw new ConversationError({
      operation: 'renderChatTemplate',
      expected: 'a Jinja template that takes these messages',
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'check the order of roles, or use a template of the table TEMPLATES',
      value: template,
      cause,
    });
  }
}

const CONSTANTS = { true: true, True: true, false: false, False: false, none: null, None: null };

/** The library's own globals cannot be replaced, and its `strftime_now` names months in the language of the machine. */
function render(template: Template, variables: Readonly<Record<string, unknown>>): string {
  const environment = new Environment();
  for (const [name, value] of Object.entries(variables)) environment.set(name, value);
  return String(new Interpreter(environment).run(template.parsed).value);
}

/** Longest list that a template may count out. */
const MAXIMUM_RANGE = 2 ** 20;

function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MAXIMUM_RANGE)) throw new Error(`range of ${length} numbers`);
  return Array.from({ length }, (_, index) => start + index * step);
}

/** Parsing takes longer than rendering, and there are few templates. */
const templates = new Map<string, Template>();

const MAXIMUM_TEMPLATES = 32;

function parsed(source: string): Template {
  let template = templates.get(source);
  if (template === undefined) {
    template = new Template(source);
    if (templates.size >= MAXIMUM_TEMPLATES) templates.clear();
    templates.set(source, template);
  }
  return template;
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

const two = (value: number): string => String(value).padStart(2, '0');

const DATE_PARTS: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  y: (date) => two(date.getUTCFullYear() % 100),
  m: (date) => two(date.getUTCMonth() + 1),
  d: (date) => two(date.getUTCDate()),
  B: (date) => MONTHS[date.getUTCMonth()]!,
  b: (date) => MONTHS[date.getUTCMonth()]!.slice(0, 3),
  A: (date) => DAYS[date.getUTCDay()]!,
  a: (date) => DAYS[date.getUTCDay()]!.slice(0, 3),
  H: (date) => two(date.getUTCHours()),
  I: (date) => two(((date.getUTCHours() + 11) % 12) + 1),
  M: (date) => two(date.getUTCMinutes()),
  S: (date) => two(date.getUTCSeconds()),
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  '%': () => '%',
};

function strftime(date: Date, format: string): string {
  return format.replace(/%(.)/gs, (whole, part: string) => DATE_PARTS[part]?.(date) ?? whole);
}
