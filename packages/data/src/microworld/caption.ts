import { chartBox, textBox } from './geometry.js';
import { REGIONS, withArticle } from './names.js';
import { type CandidateLister, nameOf } from './question.js';
import { type Box, regionOf, type Scene } from './scene.js';

/** Joins phrases with commas and a last "and". */
function enumerate(phrases: readonly string[]): string {
  return phrases.length < 2
    ? phrases.join('')
    : `${phrases.slice(0, -1).join(', ')} and ${phrases[phrases.length - 1]}`;
}

function regionOfBox([x, y, width, height]: Box): string {
  return regionOf(x + width / 2, y + height / 2);
}

/**
 * Describes everything in a scene in one sentence: objects in reading order with size, colour, shape and region, then
 * text, then the chart with its values.
 */
export function captionScene(scene: Scene): string {
  const rank = (x: number, y: number): number => REGIONS.indexOf(regionOf(x, y));
  const objects = [...scene.objects]
    .sort((a, b) => rank(a.x, a.y) - rank(b.x, b.y) || a.y - b.y || a.x - b.x)
    .map((object) => `${withArticle(`${object.size} ${nameOf(object)}`)} at the ${regionOf(object.x, object.y)}`);
  const { text, chart } = scene;
  const phrases = [...objects];
  if (text !== null) phrases.push(`the word ${text.content} at the ${regionOfBox(textBox(text))}`);
  if (chart !== null) {
    const bars = chart.bars.map(({ colour, value }) => `${withArticle(colour)} bar of ${value}`);
    phrases.push(`a chart at the ${regionOfBox(chartBox(chart))} with ${enumerate(bars)}`);
  }
  const sentence = enumerate(phrases);
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}

/** Describe the image. */
export const captionQuestions: CandidateLister = (scene) => [
  {
    group: 'caption',
    wordings: ['Describe the image.', 'What is in the image?'],
    answer: captionScene(scene),
    subjects: scene.objects.map((_, index) => index),
  },
];
