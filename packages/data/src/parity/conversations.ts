import type { Conversation, Turn } from '../conversation/conversation.js';
import { countMarkers } from '../conversation/conversation.js';
import { renderConversation } from '../conversation/render.js';
import { segmentsToText } from '../conversation/segment.js';
import { type ConversationTemplate, TEMPLATES } from '../conversation/template.js';

/** The templates by the names they have in the published code. Its rendering leaves images where they are. */
export function publishedTemplate(name: string): ConversationTemplate | undefined {
  const own = { v1: 'vicuna_v1', qwen: 'qwen_1_5', qwen_2: 'qwen_1_5', plain: 'llava_plain' }[name] ?? name;
  const template: ConversationTemplate | undefined = Object.hasOwn(TEMPLATES, own)
    ? TEMPLATES[own as keyof typeof TEMPLATES]
    : undefined;
  return template && (template.images === 'front' ? { ...template, images: 'in-place' } : template);
}

/** Texts of user and assistant in turn; a last null is an open turn. */
export function conversationOf(
  id: string,
  texts: readonly (string | null)[],
  { hasImage = true }: { hasImage?: boolean } = {},
): Conversation {
  const turns = texts.flatMap((text, index): Turn[] =>
    text === null ? [] : [{ role: index % 2 === 0 ? 'user' : 'assistant', text }],
  );
  const markers = turns.reduce((sum, { text }) => sum + countMarkers(text), 0);
  return { id, images: Array.from({ length: hasImage ? markers : 0 }, (_, index) => `${index}`), turns };
}

/** The text that the published `get_prompt` makes of a conversation, open or complete. */
export function promptOf(name: string, texts: readonly (string | null)[]): string | undefined {
  const template = publishedTemplate(name);
  if (template === undefined) return undefined;
  const isOpen = texts.at(-1) === null;
  const conversation = conversationOf(name, texts);
  // In training, captions have no question; `get_prompt` keeps it, and cannot render an answer.
  const frame: ConversationTemplate =
    template.images === 'only' ? { ...template, images: 'in-place', userSuffix: '\n' } : template;
  const text = segmentsToText(renderConversation(conversation, frame, { purpose: isOpen ? 'generation' : 'training' }));
  // LLaVA-NeXT renders LLaMA-3 with a generation prompt always.
  return name === 'llava_llama_3' && !isOpen ? text + frame.assistantPrefix : text;
}
