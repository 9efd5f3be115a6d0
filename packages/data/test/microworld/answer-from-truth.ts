import type { GroundTruth } from '../../src/index.js';

type Item = GroundTruth['objects'][number];

const centre = ({ box: [x, y, width, height] }: Item): [number, number] => [x + width / 2, y + height / 2];

const singular = (word: string): string => (word === 'crosses' ? 'cross' : word.replace(/s$/, ''));

/** The one object with this colour and shape; throws where the question would be ambiguous. */
function only(truth: GroundTruth, test: (item: Item) => boolean): Item {
  const found = truth.objects.filter(test);
  if (found.length !== 1) throw new Error(`${found.length} objects fit`);
  return found[0]!;
}

function named(truth: GroundTruth, name: string): Item {
  const [colour, shape] = name.split(' ');
  return only(truth, (item) => item.colour === colour && item.shape === shape);
}

/** How far a lies beyond b in a direction, as a fraction of the picture. */
function lead(truth: GroundTruth, direction: string, a: Item, b: Item): number {
  const [ax, ay] = centre(a);
  const [bx, by] = centre(b);
  if (/left/.test(direction)) return (bx - ax) / truth.width;
  if (/right/.test(direction)) return (ax - bx) / truth.width;
  return (direction === 'above' ? by - ay : ay - by) / truth.height;
}

function region(truth: GroundTruth, item: Item): string {
  const [x, y] = centre(item);
  const column = ['left', '', 'right'][Math.floor((3 * x) / truth.width)]!;
  const row = ['top', '', 'bottom'][Math.floor((3 * y) / truth.height)]!;
  return `${row} ${column}`.trim() || 'centre';
}

const DIRECTION = '(to the left of|to the right of|above|below)';

type Rule = readonly [pattern: RegExp, answer: (truth: GroundTruth, ...parts: string[]) => string | boolean | number];

/** Wordings and how to answer them from boxes, labels, text and bars alone. */
const RULES: readonly Rule[] = [
  [
    /^(?:Is there|Does the image show) an? (\w+) (\w+)(?: in the image)?\?$/,
    (truth, colour, shape) => truth.objects.some((item) => item.colour === colour && item.shape === shape),
  ],
  [
    /^(?:Is there|Does the image show) an? (\w+)(?: in the image)?\?$/,
    (truth, shape) => truth.objects.some((item) => item.shape === shape),
  ],
  [/^How many shapes (?:are there|can)/, (truth) => truth.objects.length],
  [/^How many (\w+) shapes/, (truth, colour) => truth.objects.filter((item) => item.colour === colour).length],
  [/^How many (\w+) /, (truth, word) => truth.objects.filter((item) => item.shape === singular(word!)).length],
  [/^Which bar is the (tallest|shortest)\?$/, (truth, which) => extreme(truth, which!)],
  [/^What colour is the (tallest|shortest) bar\?$/, (truth, which) => extreme(truth, which!)],
  [
    /^(?:What is the value of|How tall is) the (\w+) bar\?$/,
    (truth, colour) => truth.chart!.bars.find((bar) => bar.colour === colour)!.value,
  ],
  [/^Is the (\w+) bar the tallest\?$/, (truth, colour) => extreme(truth, 'tallest') === colour],
  [
    /^What (?:colour is|is the colour of) the (\w+)\?$/,
    (truth, shape) => only(truth, (item) => item.shape === shape).colour,
  ],
  [
    /^What (?:shape is|is the shape of) the (\w+) object\?$/,
    (truth, colour) => only(truth, (item) => item.colour === colour).shape,
  ],
  [
    new RegExp(`^Is the (\\w+ \\w+) (?:located )?${DIRECTION} the (\\w+ \\w+)\\?$`),
    (truth, a, direction, b) => {
      const distance = lead(truth, direction!, named(truth, a!), named(truth, b!));
      if (Math.abs(distance) < 0.1) throw new Error('too close to call');
      return distance > 0;
    },
  ],
  [
    new RegExp(`^(?:What|Which object) is ${DIRECTION} the (\\w+ \\w+)\\?$`),
    (truth, direction, name) => {
      const reference = named(truth, name!);
      const found = truth.objects.filter(
        (item) => item !== reference && lead(truth, direction!, item, reference) > 0.1,
      );
      if (found.length !== 1) throw new Error(`${found.length} objects fit`);
      return `${found[0]!.colour} ${found[0]!.shape}`;
    },
  ],
  [/^Where (?:in the image )?is the (\w+ \w+)\?$/, (truth, name) => region(truth, named(truth, name!))],
  [
    /^Please provide the bounding box coordinate of the region this sentence describes: (\w+ \w+)\.$/,
    (truth, name) => {
      const [x, y, width, height] = named(truth, name!).box;
      const sides = [x / truth.width, y / truth.height, (x + width) / truth.width, (y + height) / truth.height];
      return `[${sides.map((side) => side.toFixed(2)).join(', ')}]`;
    },
  ],
  [/^What does the text say\?$|^What word is written in the image\?$/, (truth) => truth.texts[0]!.content],
  [/^Does the text say (\w+)\?$/, (truth, word) => truth.texts[0]!.content === word],
  [
    /^Is the (\w+) object an? (\w+)\?$/,
    (truth, colour, shape) => only(truth, (item) => item.colour === colour).shape === shape,
  ],
  [
    /^Is the number of (\w+) (\d)\?$/,
    (truth, word, number) => truth.objects.filter((item) => item.shape === singular(word!)).length === Number(number),
  ],
  [/^Is the (\w+) (\w+)\?$/, (truth, shape, colour) => only(truth, (item) => item.shape === shape).colour === colour],
];

function extreme(truth: GroundTruth, which: string): string {
  const values = truth.chart!.bars.map((bar) => bar.value);
  const value = which === 'tallest' ? Math.max(...values) : Math.min(...values);
  const found = truth.chart!.bars.filter((bar) => bar.value === value);
  if (found.length !== 1) throw new Error(`${found.length} bars fit`);
  return found[0]!.colour;
}

/** Answers a question from the ground truth, knowing nothing of how it was made. Captions are compared elsewhere. */
export function answerFromTruth(question: string, truth: GroundTruth): string {
  for (const [pattern, answer] of RULES) {
    const match = pattern.exec(question);
    if (match === null) continue;
    const result = answer(truth, ...match.slice(1));
    return typeof result === 'boolean' ? (result ? 'Yes' : 'No') : String(result);
  }
  throw new Error(`no rule for the question "${question}"`);
}
