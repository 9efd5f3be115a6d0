/** The mask of a query at the size of the picture. */
export interface QueryMask {
  /** [imageSize, imageSize] */
  readonly logits: Float32Array;
  /** 1 where the logit is above the threshold. */
  readonly isIn: Uint8Array;
}

/** The mask of one query, enlarged by nearest neighbours. */
export function queryMask(
  masks: Float32Array,
  query: number,
  {
    height,
    width,
    imageSize,
    threshold,
  }: { readonly height: number; readonly width: number; readonly imageSize: number; readonly threshold: number },
): QueryMask {
  const start = query * height * width;
  const logits = new Float32Array(imageSize ** 2);
  for (let row = 0; row < imageSize; row++) {
    const line = start + Math.floor((row * height) / imageSize) * width;
    for (let column = 0; column < imageSize; column++) {
      logits[row * imageSize + column] = masks[line + Math.floor((column * width) / imageSize)]!;
    }
  }
  return { logits, isIn: Uint8Array.from(logits, (logit) => (logit > threshold ? 1 : 0)) };
}

/** Pixels in both masks by pixels in either; not a number where both are empty. */
export function overlap({ isIn: a }: QueryMask, { isIn: b }: QueryMask): number {
  let both = 0;
  let either = 0;
  for (let pixel = 0; pixel < a.length; pixel++) {
    both += a[pixel]! & b[pixel]!;
    either += a[pixel]! | b[pixel]!;
  }
  return both / either;
}

/**
 * Which mask each one is merged into: the first of its stuff class, or the first of its class of things that it overlaps
 * with by more than half.
 *
 * @param things classes below this are things
 */
export function mergeMasks(masks: readonly QueryMask[], labels: readonly number[], things: number): number[] {
  const firsts = new Map<number, number[]>();
  return masks.map((mask, index) => {
    const label = labels[index]!;
    const earlier = firsts.get(label) ?? [];
    const same = earlier.find((first) => label >= things || overlap(masks[first]!, mask) > 0.5);
    if (same !== undefined) return same;
    firsts.set(label, [...earlier, index]);
    return index;
  });
}
