import { IMAGE_MARKER } from './conversation.js';
import type { Segment } from './segment.js';
import { TEMPLATES } from './template.js';

const USER_MARK = TEMPLATES.honeybee_default.userPrefix;
const ASSISTANT_MARK = TEMPLATES.honeybee_default.assistantPrefix;
const CAPTION_PREFIX = `[NO_PROMPT] ${IMAGE_MARKER} `;

/**
 * Cuts a prompt that is already text into segments, by Honeybee's rules: at the marks `\nHuman: `, `\nAI: ` and
 * `<image>`; trained is the text right after `\nAI: `, with an end of sequence. A prompt that begins with
 * `[NO_PROMPT] <image> ` is an image and its caption. Prefer `renderConversation` where the turns are known: here a
 * mark within a question counts as a mark.
 *
 * Source: khanrc/honeybee `honeybee/tokenization_honeybee.py`.
 */
export function segmentHoneybeePrompt(prompt: string): Segment[] {
  if (prompt.startsWith(CAPTION_PREFIX)) {
    return [{ kind: 'image', image: 0, trained: false }, ...answer(prompt.slice(CAPTION_PREFIX.length))];
  }
  const segments: Segment[] = [];
  let image = 0;
  let afterAssistantMark = false;
  for (const piece of prompt.split(/(<image>|\nAI: |\nHuman: )/)) {
    if (piece === '') continue;
    if (piece === IMAGE_MARKER) segments.push({ kind: 'image', image: image++, trained: false });
    else if (afterAssistantMark && piece !== USER_MARK && piece !== ASSISTANT_MARK) segments.push(...answer(piece));
    else segments.push({ kind: 'text', text: piece, trained: false, continues: false });
    afterAssistantMark = piece === ASSISTANT_MARK;
  }
  return segments;
}

function answer(text: string): Segment[] {
  return [
    { kind: 'text', text, trained: true, continues: false },
    { kind: 'end', trained: true },
  ];
}
