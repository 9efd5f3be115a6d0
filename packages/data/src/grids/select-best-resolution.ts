import { assertImageSize, type ImageSize } from '../image/rgb-image.js';
import { GridError } from './grid-error.js';

/**
 * The canvas of the candidates on which most of an image's own pixels are kept: it is fitted in without changing its
 * aspect ratio, and pixels that enlarging adds do not count. Among equals the canvas with the fewest unused pixels wins,
 * then the first.
 *
 * Source: LLaVA-VL/LLaVA-NeXT `llava/mm_utils.py`, `select_best_resolution`.
 *
 * @throws GridError if there are no candidates
 * @throws ImageError if a size has a side that is not a positive integer
 */
export function selectBestResolution(image: ImageSize, candidates: readonly ImageSize[]): ImageSize {
  assertImageSize(image, 'selectBestResolution');
  let best: ImageSize | undefined;
  let mostKept = -1;
  let leastUnused = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    assertImageSize(candidate, 'selectBestResolution');
    const { width, height } = candidate;
    const scale = Math.min(width / image.width, height / image.height);
    const fitted = Math.trunc(image.width * scale) * Math.trunc(image.height * scale);
    const kept = Math.min(fitted, image.width * image.height);
    const unused = width * height - kept;
    if (kept > mostKept || (kept === mostKept && unused < leastUnused)) {
      best = candidate;
      mostKept = kept;
      leastUnused = unused;
    }
  }
  if (best !== undefined) return best;
  throw new GridError({
    operation: 'selectBestResolution',
    expected: 'at least one canvas to choose from',
    received: 'none',
    remedy: 'pass the canvases of the model, such as those of PUBLISHED_GRIDS',
    value: candidates,
  });
}
