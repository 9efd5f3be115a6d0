import { ConversationError } from './conversation-error.js';
import type { TemplateName } from './templates.js';

/** Where an image belongs in the text of a turn. */
export const IMAGE_MARKER = '<image>';

export type Role = 'system' | 'user' | 'assistant';

export interface Turn {
  readonly role: Role;
  readonly text: string;
}

/**
 * One training or evaluation sample: turns of user and assistant, optionally after one system turn. The k-th
 * {@link IMAGE_MARKER} in the user's turns stands for the k-th image.
 */
export interface Conversation {
  readonly id: string;
  /** Paths of the image files. */
  readonly images: readonly string[];
  readonly turns: readonly Turn[];
  /** The template that this sample needs, where data sets with different ones are mixed. Default: the loader's. */
  readonly template?: TemplateName | undefined;
}

export function countMarkers(text: string): number {
  return text.split(IMAGE_MARKER).length - 1;
}

/**
 * Checks that a conversation can be rendered: roles alternate from the user on, no text is empty, and the markers are
 * as many as the images and in the user's turns only. A last turn of the user, which awaits an answer, is allowed.
 *
 * @throws ConversationError naming the sample
 */
export function checkConversation(conversation: Conversation, operation = 'checkConversation'): void {
  const { id, images, turns } = conversation;
  const fail = (expected: string, received: string, remedy: string, value: unknown = turns): never => {
    throw new ConversationError({ operation: `${operation} (${id})`, expected, received, remedy, sampleId: id, value });
  };

  const dialogue = turns[0]?.role === 'system' ? turns.slice(1) : turns;
  if (dialogue.length === 0) fail('at least one turn of the user', 'none', 'remove the sample');
  if (turns[0]?.role === 'system' && countMarkers(turns[0].text) > 0) {
    fail(
      `${IMAGE_MARKER} in the user's turns only`,
      'one in the system turn',
      'move it to the first question',
      turns[0],
    );
  }
  let markers = 0;
  for (const [index, turn] of dialogue.entries()) {
    const role = index % 2 === 0 ? 'user' : 'assistant';
    if (turn.role !== role) {
      fail(
        `the ${role} to speak in turn ${index}`,
        `the ${turn.role}`,
        'user and assistant take turns, the user begins, and a system turn comes first',
        turn,
      );
    }
    if (turn.text.trim() === '') {
      fail(`text in turn ${index}, of the ${role}`, 'an empty one', 'complete or remove the sample', turn);
    }
    const count = countMarkers(turn.text);
    if (count > 0 && role === 'assistant') {
      fail(
        `${IMAGE_MARKER} in the user's turns only`,
        `one in the answer of turn ${index}`,
        'move the marker to the question, or spell it differently where it is meant as text',
        turn,
      );
    }
    markers += count;
  }
  if (markers !== images.length) {
    fail(
      `as many ${IMAGE_MARKER} markers as images`,
      `${markers} markers and ${images.length} images`,
      'give every image one marker, in order',
      conversation,
    );
  }
}
