import { BenchmarkError } from '../benchmark-error.js';
import { meanOf } from './share.js';

/** Shares of queries that found what belongs to them among the first 1, 5 and 10. */
export interface Recalls {
  readonly at1: number;
  readonly at5: number;
  readonly at10: number;
  readonly mean: number;
}

/** Recalls of retrieval. */
export interface RetrievalScore {
  /** Images by texts (`ir`). */
  readonly image: Recalls;
  /** Texts by images (`tr`): any of an image's texts counts. */
  readonly text: Recalls;
  /** Mean of both means. */
  readonly mean: number;
}

/**
 * Recalls of image and text retrieval (Flickr30K, COCO), in float32 as published.
 *
 * @param scores of each image for each text: [images][texts]
 * @param imageIds of the images
 * @param textImageIds the image of each text
 * @throws BenchmarkError if scores and ids do not fit each other
 */
export function scoreRetrieval(
  scores: readonly (readonly number[])[],
  imageIds: readonly number[],
  textImageIds: readonly number[],
): RetrievalScore {
  if (scores.length !== imageIds.length || scores.some((row) => row.length !== textImageIds.length)) {
    throw new BenchmarkError({
      operation: 'scoreRetrieval',
      expected: `scores of ${imageIds.length} images for ${textImageIds.length} texts`,
      received: `${scores.length} × ${scores[0]?.length ?? 0}`,
    });
  }
  const byText = textImageIds.map((_, text) => scores.map((row) => row[text]!));
  const image = recalls(byText, (text, place) => imageIds[place] === textImageIds[text]);
  const text = recalls(scores, (row, place) => textImageIds[place] === imageIds[row]);
  return { image, text, mean: Math.fround((image.mean + text.mean) / 2) };
}

function recalls(rows: readonly (readonly number[])[], belongs: (row: number, place: number) => boolean): Recalls {
  const best = rows.map((row, query) => {
    const order = [...row.keys()].sort((a, b) => row[b]! - row[a]!);
    return order.findIndex((place) => belongs(query, place));
  });
  const within = (count: number) => Math.fround(meanOf(best.map((rank) => Number(rank >= 0 && rank < count))));
  const [at1, at5, at10] = [within(1), within(5), within(10)];
  return { at1, at5, at10, mean: Math.fround((at1 + at5 + at10) / 3) };
}

/** Similarities of features: images [images][width], texts [texts][width] → [images][texts] */
export function featureSimilarities(
  images: readonly (readonly number[])[],
  texts: readonly (readonly number[])[],
): number[][] {
  return images.map((image) =>
    texts.map((text) => Math.fround(image.reduce((sum, value, index) => sum + value * (text[index] ?? 0), 0))),
  );
}

/** What a pair scores that is nobody's candidate. */
const noCandidate = -100;

/**
 * Scores of a matching head for the candidates of a faster one (ManagerTower): the `candidates` best texts of each image
 * and the best images of each text; all other pairs have −100.
 *
 * @param similarities [images][texts]
 * @param matching what the matching head says of a pair: [images][texts]
 */
export function rescoreCandidates(
  similarities: readonly (readonly number[])[],
  matching: readonly (readonly number[])[],
  candidates: number,
): number[][] {
  const best = (row: readonly number[]) =>
    new Set([...row.keys()].sort((a, b) => row[b]! - row[a]!).slice(0, candidates));
  const textsOf = similarities.map(best);
  const imagesOf = (similarities[0] ?? []).map((_, text) => best(similarities.map((row) => row[text]!)));
  return matching.map((row, image) =>
    row.map((score, text) =>
      textsOf[image]!.has(text) || imagesOf[text]!.has(image) ? Math.max(score, noCandidate) : noCandidate,
    ),
  );
}
