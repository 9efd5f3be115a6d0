import { fold, type RandomKey, randomSource } from '../random.js';
import { pairExistences } from './object-questions.js';
import { nameOf } from './question.js';
import { imageName } from './records.js';
import type { Scene } from './scene.js';
import type { SceneOptions } from './scene-options.js';

/** How POPE chooses the objects it asks about in vain. */
export const POPE_CATEGORIES = ['random', 'popular', 'adversarial'] as const;
export type PopeCategory = (typeof POPE_CATEGORIES)[number];

/** A line of POPE's files. */
export interface PopeRow {
  readonly question_id: number;
  readonly image: string;
  readonly text: string;
  readonly label: 'yes' | 'no';
}

/** Positive questions about a picture in each category, and as many negative ones. */
const POSITIVES = 3;

/**
 * The rows of one POPE category: about each picture, up to three pairs of colour and shape that it shows and as many
 * that it does not. `random` draws the latter from all absent pairs; `popular` from the quarter of pairs most frequent
 * in these scenes; `adversarial` from those whose colour and shape both appear, on different objects. Where there are
 * too few of these, other absent pairs follow.
 */
export function popeRows(
  scenes: readonly Scene[],
  category: PopeCategory,
  key: RandomKey,
  options: SceneOptions,
): PopeRow[] {
  const source = randomSource(fold(fold(key, 'pope'), category));
  const popular = popularNames(scenes);
  const rows: PopeRow[] = [];
  scenes.forEach(({ objects, ...scene }, index) => {
    const pairs = pairExistences({ objects, ...scene }, options);
    const absent = source.shuffle(pairs.filter(({ present }) => !present));
    const preferred = absent.filter(({ colour, shape }) => {
      if (category === 'popular') return popular.has(nameOf({ colour, shape }));
      const bothAppear =
        objects.some((object) => object.colour === colour) && objects.some((object) => object.shape === shape);
      return category === 'random' || bothAppear;
    });
    const negatives = [...preferred, ...absent.filter((pair) => !preferred.includes(pair))];
    const positives = source.shuffle(pairs.filter(({ present }) => present)).slice(0, POSITIVES);
    positives.slice(0, negatives.length).forEach((positive, pair) => {
      for (const { present, question } of [positive, negatives[pair]!]) {
        const text = question.wordings[0]!;
        rows.push({ question_id: rows.length + 1, image: imageName(index), text, label: present ? 'yes' : 'no' });
      }
    });
  });
  return rows;
}

/** The quarter of names that most objects have; ties in alphabetical order. */
function popularNames(scenes: readonly Scene[]): Set<string> {
  const frequency = new Map<string, number>();
  for (const { objects } of scenes) {
    for (const name of objects.map(nameOf)) frequency.set(name, (frequency.get(name) ?? 0) + 1);
  }
  const sorted = [...frequency].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return new Set(sorted.slice(0, Math.ceil(sorted.length / 4)).map(([name]) => name));
}
