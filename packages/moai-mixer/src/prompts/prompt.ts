/** In front of every conversation; the image stands at its end. */
export const moaiSystemText =
  'AI assistant should give helpful and detailed answers to user after fully understanding an image. <image>';

/** InternLM2's marks around a message. */
const [messageStart, messageEnd] = ['[UNUSED_TOKEN_146]', '[UNUSED_TOKEN_145]'];

/** What the tokenizer ends a sequence with. */
const endOfSequence = '</s>';

/**
 * How a question is put. `evaluation` is what the published model was trained with; `demo` is what its demonstration
 * program has, which the model has not seen in training.
 */
export type MoaiPromptStyle = 'evaluation' | 'demo';

const turns: Readonly<Record<MoaiPromptStyle, (question: string) => string>> = {
  evaluation: (question) => ` ${messageStart}user\n${question}${messageEnd}\n${messageStart}assistant\n`,
  demo: (question) => ` USER: ${question} ASSISTANT:`,
};

/** A prompt in its two parts, which are tokenized apart where places are counted. */
export interface MoaiPrompt {
  readonly system: string;
  readonly turn: string;
}

/** The prompt of a question, byte for byte as in MoAI's code (`moai/utils/utils.py`). */
export function moaiPrompt(question: string, style: MoaiPromptStyle = 'evaluation'): MoaiPrompt {
  return { system: moaiSystemText, turn: turns[style](question) };
}

/** What training puts behind a turn: the answer and its end. The loss is on these tokens only. */
export function moaiAnswerText(answer: string): string {
  return ` ${answer}${messageEnd}${endOfSequence}`;
}

/**
 * The answer in a decoded sequence, prompt included: what follows the last `assistant` line, without white space around,
 * up to the first mark of a message. An answer that has such a line itself loses its front, as in the official code.
 */
export function readMoaiAnswer(decoded: string): string {
  const mark = 'assistant\n';
  const start = decoded.lastIndexOf(mark);
  const answer = (start < 0 ? decoded : decoded.slice(start + mark.length)).trim();
  return before(answer, '[UN');
}

/** What the demonstration program prints: the whole decoded sequence up to the first mark. */
export function readMoaiDemoAnswer(decoded: string): string {
  return before(decoded, '[U');
}

function before(text: string, mark: string): string {
  const end = text.indexOf(mark);
  return end < 0 ? text : text.slice(0, end);
}
