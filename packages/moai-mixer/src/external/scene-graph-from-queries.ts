import { ShapeError } from '@ocelli/core-tensor';
import type { SceneGraph } from '../verbalization/findings.js';
import { mergeMasks, overlap, type QueryMask, queryMask } from './query-masks.js';
import { softmaxOf, strongest } from './scores.js';

/** What a scene-graph generator with queries gives for one picture: a triplet per query, from its last layer. */
export interface RelatorOutput {
  /** [queries, classes + 1], no object last. */
  readonly subjectLogits: Float32Array;
  /** As `subjectLogits`. */
  readonly objectLogits: Float32Array;
  /** [queries, predicates + 1], background first. */
  readonly relationLogits: Float32Array;
  /** [queries, height, width] */
  readonly subjectMasks: Float32Array;
  /** [queries, height, width] */
  readonly objectMasks: Float32Array;
  readonly queries: number;
  /** Of the masks. */
  readonly height: number;
  /** Of the masks. */
  readonly width: number;
}

/** Options of {@link sceneGraphFromQueries}. */
export interface SceneGraphOptions {
  /** Side of the picture in pixels. Default: 490. */
  readonly imageSize?: number;
  /** Pairs of a query and a predicate that are looked at, the likeliest first. Default: 100. */
  readonly candidates?: number;
  /** Subjects and objects more probable than this. Default: 0.5. */
  readonly objectThreshold?: number;
  /** Relations more probable than this. Default: 0.3. */
  readonly relationThreshold?: number;
  /** Probability above which a pixel counts as one of a mask, where masks are compared. Default: 0.85. */
  readonly maskThreshold?: number;
  /** Classes below this are things, of which several may be in a picture; others are stuff. Default: 80. */
  readonly things?: number;
  /**
   * Whether triplets with the last class but one, COCO's `wall-other-merged`, are thrown away. The published code compares
   * numbers that start at 1 with the index of "no object", and so drops that class instead; it has run when MoAI was
   * trained, so that `drop` is the default. `keep` is what was meant: "no object" never wins here, and needs no rule.
   */
  readonly wallClass?: 'drop' | 'keep';
}

interface Triplet {
  readonly query: number;
  readonly subject: number;
  readonly predicate: number;
  readonly object: number;
  readonly isKept: boolean;
}

/**
 * A scene graph from the queries of PSGTR, as MoAI takes it from OpenPSG: the likeliest pairs of query and predicate;
 * without those of the same three classes whose subjects and objects both overlap by more than half with a likelier one;
 * of what is probable enough, masks of one stuff class, and things that overlap by more than half, become one object; each
 * pixel goes to the mask of the highest logit, and objects without pixels go, with their relations.
 *
 * Masks are enlarged to the picture by nearest neighbours. The published code rounds them to half precision, which this
 * one does not.
 *
 * Source: MoAI `moai/sgg/openpsg/models/relation_heads/psgtr_head.py`, `_get_bboxes_single`.
 *
 * @throws ShapeError if logits and masks are not as many as the sizes say
 */
export function sceneGraphFromQueries(output: RelatorOutput, options: SceneGraphOptions = {}): SceneGraph {
  const { imageSize = 490, candidates = 100, maskThreshold = 0.85, things = 80 } = options;
  const sizes = sizesOf(output);
  const size = { imageSize, threshold: Math.log(maskThreshold / (1 - maskThreshold)) };
  const maskOf = (masks: Float32Array) => {
    const known = new Map<number, QueryMask>();
    return (query: number) => {
      const mask = known.get(query) ?? queryMask(masks, query, { ...output, ...size });
      known.set(query, mask);
      return mask;
    };
  };
  const [ofSubject, ofObject] = [maskOf(output.subjectMasks), maskOf(output.objectMasks)];
  const triplets = distinct(likeliestTriplets(output, sizes, { ...options, candidates }), (a, b) => {
    return overlap(ofSubject(a.query), ofSubject(b.query)) > 0.5 && overlap(ofObject(a.query), ofObject(b.query)) > 0.5;
  }).filter(({ isKept }) => isKept);
  if (triplets.length === 0) return { labels: [], relations: [] };

  const masks = [...triplets.map(({ query }) => ofSubject(query)), ...triplets.map(({ query }) => ofObject(query))];
  const labels = [...triplets.map(({ subject }) => subject), ...triplets.map(({ object }) => object)];
  const representative = mergeMasks(masks, labels, things);
  const owners = new Set<number>();
  for (let pixel = 0; pixel < imageSize ** 2; pixel++) {
    let owner = 0;
    for (let mask = 1; mask < masks.length; mask++) {
      if (masks[mask]!.logits[pixel]! > masks[owner]!.logits[pixel]!) owner = mask;
    }
    owners.add(representative[owner]!);
  }
  const remaining = [...owners].sort((a, b) => a - b);
  const placeOf = new Map(remaining.map((mask, place) => [mask, place]));
  const relations = triplets.flatMap(({ query }, index) => {
    const subject = placeOf.get(representative[index]!);
    const object = placeOf.get(representative[triplets.length + index]!);
    if (subject === undefined || object === undefined) return [];
    const logits = output.relationLogits.subarray(query * sizes.relations, (query + 1) * sizes.relations);
    return [{ subject, object, probabilities: softmaxOf(logits).subarray(1) }];
  });
  return { labels: remaining.map((mask) => labels[mask]!), relations };
}

function sizesOf({ queries, height, width, ...output }: RelatorOutput): { classes: number; relations: number } {
  const { subjectLogits, objectLogits, relationLogits, subjectMasks, objectMasks } = output;
  const [classes, relations] = [subjectLogits.length / queries, relationLogits.length / queries];
  const fits =
    [classes, relations].every((count) => Number.isInteger(count) && count >= 2) &&
    objectLogits.length === subjectLogits.length &&
    [subjectMasks, objectMasks].every(({ length }) => length === queries * height * width);
  if (fits) return { classes, relations };
  throw new ShapeError({
    operation: 'sceneGraphFromQueries',
    expected: `class logits [${queries}, classes + 1], relation logits [${queries}, predicates + 1] and mask logits [${queries}, ${height}, ${width}]`,
    received: [subjectLogits, objectLogits, relationLogits, subjectMasks, objectMasks].map(({ length }) => [length]),
  });
}

/** The likeliest pairs of a query and a predicate, the likeliest first. */
function likeliestTriplets(
  { subjectLogits, objectLogits, relationLogits, queries }: RelatorOutput,
  { classes, relations }: { readonly classes: number; readonly relations: number },
  {
    candidates,
    objectThreshold = 0.5,
    relationThreshold = 0.3,
    wallClass = 'drop',
  }: SceneGraphOptions & { readonly candidates: number },
): Triplet[] {
  const dropped = wallClass === 'drop' ? classes - 3 : -1; // classes counts "no object"
  const rowOf = (logits: Float32Array, query: number, length: number) =>
    softmaxOf(logits.subarray(query * length, (query + 1) * length));
  const entities = (logits: Float32Array) =>
    Array.from({ length: queries }, (_, query) => {
      const row = rowOf(logits, query, classes).subarray(0, -1);
      const label = strongest(row);
      return { label, score: row[label]! };
    });
  const [subjects, objects] = [entities(subjectLogits), entities(objectLogits)];
  return Array.from({ length: queries }, (_, query) =>
    Array.from(rowOf(relationLogits, query, relations).subarray(1), (score, predicate) => ({
      query,
      predicate,
      score,
    })),
  )
    .flat()
    .sort((a, b) => b.score - a.score)
    .slice(0, candidates)
    .map(({ query, predicate, score }) => {
      const [subject, object] = [subjects[query]!, objects[query]!];
      const isProbable = subject.score > objectThreshold && object.score > objectThreshold && score > relationThreshold;
      const isKept = isProbable && subject.label !== dropped && object.label !== dropped;
      return { query, predicate, subject: subject.label, object: object.label, isKept };
    });
}

/** Without those that are the same as an earlier one of their classes. */
function distinct(triplets: readonly Triplet[], isSame: (a: Triplet, b: Triplet) => boolean): Triplet[] {
  const byClasses = new Map<string, Triplet[]>();
  return triplets.filter((triplet) => {
    const classes = [triplet.subject, triplet.object, triplet.predicate].join();
    const earlier = byClasses.get(classes) ?? [];
    if (earlier.some((each) => isSame(each, triplet))) return false;
    byClasses.set(classes, [...earlier, triplet]);
    return true;
  });
}
