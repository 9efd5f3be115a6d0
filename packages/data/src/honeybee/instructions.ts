import { posix } from 'node:path';
import { z } from 'zod';
import { IMAGE_MARKER, type Turn } from '../conversation/conversation.js';
import { TEMPLATES, type TemplateName } from '../conversation/template.js';
import { parseAnnotations, records } from './annotation-error.js';
import { NO_PROMPT } from './instruction-patterns.js';

/** A conversation that is as it stands in its file. */
export interface WrittenConversation {
  readonly image: string | null;
  readonly turns: readonly Turn[];
  readonly template: TemplateName;
  /** The text that Honeybee's tokenizer takes. */
  readonly prompt: string;
}

const turnsSchema = z.array(z.looseObject({ from: z.enum(['human', 'user', 'gpt']), value: z.string() })).min(1);

const { system: SYSTEM, userPrefix: HUMAN, assistantPrefix: AI } = TEMPLATES.honeybee_instruction;

const roleOf = (from: 'human' | 'user' | 'gpt') => (from === 'gpt' ? 'assistant' : 'user');

const llavaSchema = records({ image: z.string(), conversations: turnsSchema });

/**
 * LLaVA's instruction data; or its captions, where only the first answer counts.
 *
 * @param imageTexts the image's marker with the newline beside it, as the questions have it
 */
export function llavaConversations(
  raw: unknown,
  imageRoot: string,
  { asCaptions = false, imageTexts = [`${IMAGE_MARKER}\n`, `\n${IMAGE_MARKER}`] } = {},
): WrittenConversation[] {
  const cut = new RegExp(`(${imageTexts.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`);
  return parseAnnotations('LLaVA', llavaSchema, raw).map(({ image: file, conversations }) => {
    const image = posix.join(imageRoot, file);
    if (asCaptions) {
      const caption = withoutMarker(
        imageTexts.reduce((text, part) => text.replaceAll(part, ''), conversations[1]!.value),
      );
      const turns: Turn[] = [
        { role: 'user', text: IMAGE_MARKER },
        { role: 'assistant', text: caption },
      ];
      return { image, turns, template: 'plain', prompt: `${NO_PROMPT} ${IMAGE_MARKER} ${caption}` };
    }
    const texts = conversations.map(({ from, value }) => {
      const pieces = value.split(cut).filter((piece) => piece !== '');
      const placed = pieces.map((piece, index) => {
        if (!imageTexts.includes(piece)) return piece;
        return index > 0 ? HUMAN + IMAGE_MARKER : IMAGE_MARKER + HUMAN;
      });
      return (from === 'gpt' ? AI : HUMAN) + placed.join('');
    });
    const turns = conversations.map(({ from, value }): Turn => ({ role: roleOf(from), text: value }));
    return { image, turns, template: 'honeybee_instruction', prompt: SYSTEM + texts.join('') };
  });
}

const vicunaSchema = records({ conversations: turnsSchema });

/** ShareGPT's conversations, text alone: a first turn of the assistant is left out, and `<image>` is a word. */
export function vicunaConversations(raw: unknown): WrittenConversation[] {
  return parseAnnotations('ShareGPT', vicunaSchema, raw).map(({ conversations: [first, ...rest] }) => {
    const turns = [...(first!.from === 'human' ? [first!] : []), ...rest].map(
      ({ from, value }): Turn => ({ role: roleOf(from), text: withoutMarker(value) }),
    );
    const texts = turns.map(({ role, text }) => (role === 'assistant' ? AI : HUMAN) + text);
    return { image: null, turns, template: 'honeybee_instruction', prompt: SYSTEM + texts.join('') };
  });
}

function withoutMarker(text: string): string {
  return text.replaceAll(IMAGE_MARKER, 'image');
}
