/** Shapes an object can have. */
export const SHAPES = ['circle', 'square', 'triangle', 'diamond', 'cross', 'star'] as const;
export type Shape = (typeof SHAPES)[number];

/** Colours of objects and bars. */
export const COLOURS = ['red', 'green', 'blue', 'yellow', 'purple', 'orange', 'pink', 'cyan'] as const;
export type Colour = (typeof COLOURS)[number];

/** Sizes of objects. */
export const OBJECT_SIZES = ['small', 'large'] as const;
export type ObjectSize = (typeof OBJECT_SIZES)[number];

/** Nine regions of the canvas, by thirds, in reading order. */
export const REGIONS = [
  'top left',
  'top',
  'top right',
  'left',
  'centre',
  'right',
  'bottom left',
  'bottom',
  'bottom right',
] as const;
export type Region = (typeof REGIONS)[number];

/** Relations between two objects. */
export const PREDICATES = ['left of', 'right of', 'above', 'below'] as const;
export type Predicate = (typeof PREDICATES)[number];

/** Words that scenes with text show by default. */
export const WORDS: readonly string[] =
  'ANT BEE BOX BUS CAR CAT COW CUP DOG EGG FOX HAT ICE JAM KEY MAP NUT OWL PEN PIG SUN TEA VAN ZOO'.split(' ');

/** What is printed for a colour, as RGB bytes. */
export const COLOUR_VALUES: Readonly<Record<Colour, string>> = {
  red: '#e01e1e',
  green: '#1f9d3a',
  blue: '#1f4fe0',
  yellow: '#f5d800',
  purple: '#8426c9',
  orange: '#ff8000',
  pink: '#ff8cc6',
  cyan: '#00c8dc',
};

/** The plural of a shape's name. */
export function plural(shape: Shape): string {
  return shape === 'cross' ? 'crosses' : `${shape}s`;
}

/** A phrase with its indefinite article. */
export function withArticle(phrase: string): string {
  return `${/^[aeiou]/.test(phrase) ? 'an' : 'a'} ${phrase}`;
}
