import { type Conversation, checkConversation, countMarkers, IMAGE_MARKER } from './conversation.js';
import { ConversationError } from './conversation-error.js';
import { moveImageToFront, splitOffImages } from './place-images.js';
import type { Segment } from './segment.js';
import { strip } from './strip.js';
import { type ConversationTemplate, getTemplate, type TemplateName } from './template.js';

export interface RenderOptions {
  /**
   * - `training` (default): every answer, all of them trained
   * - `generation`: without the last answer; the text ends with the mark after which the assistant speaks
   */
  readonly purpose?: 'training' | 'generation';
}

/**
 * Renders a conversation as segments: what is text, where the images are, and what is trained. Trained are the answers
 * and what ends them, and the header in front of them where the template says so; questions and images never are.
 *
 * @throws ConversationError naming the sample, if it is malformed, has no answer to train, or is no caption where the
 * template is for captions
 */
export function renderConversation(
  conversation: Conversation,
  template: TemplateName | ConversationTemplate,
  options: RenderOptions = {},
): Segment[] {
  const frame = getTemplate(template);
  const forTraining = (options.purpose ?? 'training') === 'training';
  checkConversation(conversation, 'renderConversation');
  const turns = [...conversation.turns];
  const system = turns[0]?.role === 'system' ? turns.shift()!.text : frame.system;
  if (frame.images === 'only') checkCaption(conversation, turns.length, frame.name);

  const last = turns[turns.length - 1]!;
  if (forTraining && last.role === 'user') {
    throw new ConversationError({
      operation: `renderConversation (${conversation.id})`,
      expected: 'an answer to the last question',
      received: 'none',
      remedy: "add the answer, or render with { purpose: 'generation' }",
      sampleId: conversation.id,
      value: last,
    });
  }
  if (!forTraining && last.role === 'assistant') turns.pop();

  const writer = segmentWriter(frame.joined);
  const clean = (text: string): string => (frame.trim ? strip(text) : text);
  const systemTexts = system === '' ? [] : [frame.systemPrefix ?? '', clean(system), frame.systemSuffix];
  const isInQuestion = frame.systemPlace === 'question';
  writer.prompt(frame.begin ?? '', ...(isInQuestion ? [] : systemTexts));
  for (const [index, { role, text }] of turns.entries()) {
    if (role === 'user') {
      const isAnswered = turns[index + 1]?.role === 'assistant';
      if (index > 0) writer.prompt(frame.roundPrefix ?? '');
      writePlacedText(clean(text), isInQuestion && index === 0 ? systemTexts : [], frame, writer);
      if (!(frame.trainedHeader && isAnswered)) writer.prompt(frame.assistantPrefix);
    } else {
      const header = frame.trainedHeader ? frame.assistantPrefix : '';
      writer.answer(header + frame.answerPrefix + clean(text) + frame.answerSuffix);
      if (frame.endOfSequence) writer.end();
    }
  }
  return writer.finish();
}

function checkCaption(conversation: Conversation, turns: number, template: string): void {
  if (turns <= 2 && conversation.images.length > 0) return;
  throw new ConversationError({
    operation: `renderConversation (${conversation.id})`,
    expected: `at least one image and one answer, as ${template} is for captions`,
    received: `${conversation.images.length} images and ${turns} turns`,
    remedy: 'render this data with the template of a conversation',
    sampleId: conversation.id,
    value: conversation,
  });
}

/** The user's turn, with its images where the template wants them. */
function writePlacedText(
  text: string,
  system: readonly string[],
  frame: ConversationTemplate,
  writer: SegmentWriter,
): void {
  if (frame.images === 'only') {
    writer.prompt(IMAGE_MARKER.repeat(countMarkers(text)));
    return;
  }
  const parts = placements[frame.images](text);
  for (const part of parts) writer.prompt(frame.userPrefix, ...system, part, frame.userSuffix);
}

const placements: Readonly<Record<Exclude<ConversationTemplate['images'], 'only'>, (text: string) => string[]>> = {
  'own-turn': splitOffImages,
  front: (text) => [moveImageToFront(text)],
  'in-place': (text) => [text],
};

interface SegmentWriter {
  /** Untrained text, in which markers become images. */
  prompt(...texts: string[]): void;
  answer(text: string): void;
  end(): void;
  finish(): Segment[];
}

function segmentWriter(joined: boolean): SegmentWriter {
  const segments: Segment[] = [];
  let pending: string[] = [];
  let image = 0;

  const text = (content: string, trained: boolean): void => {
    if (content === '') return;
    const previous = segments[segments.length - 1];
    const continues = joined && previous !== undefined && previous.kind !== 'image';
    segments.push({ kind: 'text', text: content, trained, continues });
  };
  const flush = (): void => {
    const contents = joined ? [pending.join('')] : pending;
    pending = [];
    for (const content of contents) {
      for (const [index, piece] of content.split(IMAGE_MARKER).entries()) {
        if (index > 0) segments.push({ kind: 'image', image: image++, trained: false });
        text(piece, false);
      }
    }
  };

  return {
    prompt: (...texts) => pending.push(...texts),
    answer: (content) => {
      flush();
      text(content, true);
    },
    end: () => segments.push({ kind: 'end', trained: true }),
    finish: () => {
      flush();
      return segments;
    },
  };
}
