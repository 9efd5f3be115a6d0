import { ConfigError } from '@ocelli/core-tensor';
import { renderChatTemplate, type Tokenizer } from '@ocelli/data';

/** What a model is asked, and how. */
export interface Prompt {
  readonly prompt: string;
  /** The system turn. Default: what the template has for it. */
  readonly system?: string;
  /** Take the prompt as it is. Default: not where the tokenizer has a chat template. */
  readonly raw?: boolean;
}

/**
 * Tokens of a prompt: as a user's turn in the tokenizer's chat template where it has one, else as they are.
 *
 * @throws ConfigError for a system turn without a template, ConversationError if the template refuses the turns
 */
export function promptTokens(tokenizer: Tokenizer, { prompt, system, raw = false }: Prompt): number[] {
  const template = raw ? undefined : tokenizer.chatTemplates.default;
  if (template === undefined) {
    if (system === undefined) return tokenizer.encode(prompt);
    throw new ConfigError({
      operation: 'ocelli generate',
      expected: 'no system turn, as there is no chat template to put it into',
      received: JSON.stringify(system),
      remedy: raw ? 'Leave out --raw.' : 'Write it into the prompt.',
    });
  }
  const messages = [
    ...(system === undefined ? [] : [{ role: 'system', content: system }]),
    { role: 'user', content: prompt },
  ];
  const text = renderChatTemplate(template, messages, {
    addGenerationPrompt: true,
    specialTokens: tokenizer.specialTokens,
  });
  return tokenizer.encode(text, { addSpecialTokens: false });
}
