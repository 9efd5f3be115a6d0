import { countMarkers, IMAGE_MARKER } from './conversation.js';
import { strip } from './strip.js';

const OPENING = `${IMAGE_MARKER}\n`;
const CLOSING = `\n${IMAGE_MARKER}`;

/** `<image>\nWhat is it?` → `<image>`, `What is it?`; likewise at the end of the text (Honeybee). */
export function splitOffImages(text: string): string[] {
  const before: string[] = [];
  const after: string[] = [];
  let rest = text;
  while (rest.startsWith(OPENING)) {
    before.push(IMAGE_MARKER);
    rest = rest.slice(OPENING.length);
  }
  while (rest.endsWith(CLOSING)) {
    after.push(IMAGE_MARKER);
    rest = rest.slice(0, -CLOSING.length);
  }
  return [...before, ...(rest === '' ? [] : [rest]), ...after];
}

/** `What is it? <image>` → `<image>\nWhat is it?`; several markers stay where they are (LLaVA-NeXT). */
export function moveImageToFront(text: string): string {
  return countMarkers(text) === 1 && !text.startsWith(IMAGE_MARKER) ? collapseImages(text) : text;
}

/**
 * All markers of a text become one in front of it, on a line of its own (LLaVA-1.5, ConvLLaVA, Eagle): a turn has one
 * image at most there.
 */
export function collapseImages(text: string): string {
  if (countMarkers(text) === 0) return text;
  return strip(`${OPENING}${strip(text.replaceAll(IMAGE_MARKER, ''))}`);
}
