import type { Conversation } from '../conversation/conversation.js';
import { type RenderOptions, renderConversation } from '../conversation/render.js';
import { type ConversationTemplate, getTemplate, type TemplateName } from '../conversation/template.js';
import {
  type SegmentTokenizer,
  type TokenizedSample,
  type TokenizeOptions,
  tokenizeSegments,
} from './tokenize-segments.js';

export interface TokenizeConversationOptions
  extends RenderOptions,
    Pick<TokenizeOptions, 'visualTokensPerImage' | 'maximumLength' | 'truncation'> {}

/**
 * Renders a conversation and tokenizes it, with the template's own rules for the bos and for marks that are trained
 * wherever they stand.
 *
 * @throws ConversationError or CollationError naming the sample
 */
export function tokenizeConversation(
  conversation: Conversation,
  template: TemplateName | ConversationTemplate,
  tokenizer: SegmentTokenizer,
  options: TokenizeConversationOptions,
): TokenizedSample {
  const { bos, trainedMarks } = getTemplate(template);
  const { purpose, ...rest } = options;
  return tokenizeSegments(renderConversation(conversation, template, purpose ? { purpose } : {}), tokenizer, {
    ...rest,
    sampleId: conversation.id,
    addBos: bos ?? true,
    ...(trainedMarks === undefined ? {} : { trainedMarks }),
  });
}
