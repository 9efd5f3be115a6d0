/** Index of the largest number, the first of equals. */
export function strongest(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (values[index]! > values[best]!) best = index;
  return best;
}

/** Logits as probabilities of sum 1. */
export function softmaxOf(logits: Float32Array): Float32Array {
  const largest = logits[strongest(logits)]!;
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
