import { cocoPanopticClasses, panopticPredicates } from '../vocabularies/index.js';
import { plainName, relationOpening, sentence } from './clauses.js';
import type { SceneGraph } from './findings.js';
import { nameOf } from './name-of.js';

/** Options of {@link verbalizeSceneGraph}. */
export interface SceneGraphTextOptions {
  /** Names of objects. Default: COCO panoptic. */
  readonly names?: readonly string[];
  /** Default: those of the panoptic scene graph data set. */
  readonly predicates?: readonly string[];
  /** Relations of at least this probability. Default: 0.8. */
  readonly threshold?: number;
  /** Relations at most. Default: 10. */
  readonly limit?: number;
  /**
   * What becomes of a graph with fewer relations than it has objects, up to the limit. `nothing`: the text is empty, as
   * the published model was trained with, whose code fails there and goes on. `all`: its relations count like others.
   * Default: `nothing`.
   */
  readonly whenFew?: 'nothing' | 'all';
}

/**
 * The text of a scene graph: its likeliest relations, the likeliest first. Objects of one class are numbered in the
 * order of the graph. Of n objects and a limit of k, min(k, n) relations are considered, as in the official code, whose
 * order among them is left to a library's selection.
 *
 * @throws ConfigError for an object or a predicate without a name
 */
export function verbalizeSceneGraph(
  { labels, relations }: SceneGraph,
  {
    names = cocoPanopticClasses,
    predicates = panopticPredicates,
    threshold = 0.8,
    limit = 10,
    whenFew = 'nothing',
  }: SceneGraphTextOptions = {},
): string {
  const operation = 'verbalizeSceneGraph';
  const considered = Math.min(limit, labels.length);
  if (whenFew === 'nothing' && relations.length < considered) return '';
  const objects = numbered(labels.map((label) => plainName(nameOf(names, label, operation))));
  const items = relations
    .map(({ subject, object, probabilities }) => ({ subject, object, ...likeliest(probabilities) }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, considered)
    .filter(({ probability }) => probability >= threshold)
    .map(({ subject, object, predicate }) =>
      [
        nameOf(objects, subject, operation),
        'is',
        nameOf(predicates, predicate, operation),
        nameOf(objects, object, operation),
      ].join(' '),
    );
  return sentence(relationOpening, items);
}

/** Names that occur more than once with their number: `person (#2)`. */
function numbered(names: readonly string[]): string[] {
  const total = new Map<string, number>();
  for (const name of names) total.set(name, (total.get(name) ?? 0) + 1);
  const seen = new Map<string, number>();
  return names.map((name) => {
    if (total.get(name) === 1) return name;
    const number = (seen.get(name) ?? 0) + 1;
    seen.set(name, number);
    return `${name} (#${number})`;
  });
}

function likeliest(probabilities: ArrayLike<number>): { predicate: number; probability: number } {
  let predicate = 0;
  for (let index = 1; index < probabilities.length; index++) {
    if (probabilities[index]! > probabilities[predicate]!) predicate = index;
  }
  return { predicate, probability: probabilities[predicate] ?? Number.NEGATIVE_INFINITY };
}
