import { IMAGE_MARKER } from './conversation.js';

/** A stretch of text that is tokenized at once and is trained as a whole or not at all. */
export interface TextSegment {
  readonly kind: 'text';
  readonly text: string;
  readonly trained: boolean;
  /**
   * Whether the text goes on from the segment before it, so that it gets the tokens it would have in the whole text,
   * or stands alone, as at the start of a text.
   */
  readonly continues: boolean;
}

/** The place of an image. */
export interface ImageSegment {
  readonly kind: 'image';
  /** Index into the images of the conversation. */
  readonly image: number;
  readonly trained: false;
}

/** The end-of-sequence token. */
export interface EndSegment {
  readonly kind: 'end';
  readonly trained: boolean;
}

/** A piece of a rendered conversation. `trained` says whether its tokens are targets of the loss. */
export type Segment = TextSegment | ImageSegment | EndSegment;

/** The rendered text, for people and logs. */
export function segmentsToText(segments: readonly Segment[], options: { endOfSequence?: string } = {}): string {
  return segments
    .map((segment) => {
      if (segment.kind === 'text') return segment.text;
      return segment.kind === 'image' ? IMAGE_MARKER : (options.endOfSequence ?? '</s>');
    })
    .join('');
}
