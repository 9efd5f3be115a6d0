/** An opening and what was found, as one sentence; empty where nothing was. */
export function sentence(opening: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `${opening}: ${items.join(', and ')}.`;
}

/** In front of boxes with names. */
export const boxOpening = 'The image includes bounding box coordinates and their objects';
/** In front of relations. */
export const relationOpening = 'The image includes relationships between objects';
/** In front of what was read. */
export const readingOpening = 'The image includes text descriptions';

/** A class of COCO panoptic without the marks of its annotations: `sky-other-merged` is `sky`, `wall-wood` stays. */
export function plainName(name: string): string {
  return ['-merged', '-other', '-stuff'].reduce((text, mark) => text.replaceAll(mark, ''), name);
}
