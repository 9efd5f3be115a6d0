/** Scores that are not −∞ (or NaN), without the others. */
export interface Candidates {
  /** Of which token each is; undefined where every token is a candidate. */
  readonly ids: Int32Array | undefined;
  readonly values: Float32Array;
  readonly highest: number;
}

/** The candidates among scores. Where a few are left, all that follows is as cheap as they are few. */
export function candidatesOf(scores: Float32Array): Candidates {
  let count = 0;
  let highest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (!(score > Number.NEGATIVE_INFINITY)) continue;
    count++;
    if (score > highest) highest = score;
  }
  if (count === scores.length) return { ids: undefined, values: scores, highest };
  const ids = new Int32Array(count);
  const values = new Float32Array(count);
  for (let id = 0, next = 0; next < count; id++) {
    if (!(scores[id]! > Number.NEGATIVE_INFINITY)) continue;
    ids[next] = id;
    values[next++] = scores[id]!;
  }
  return { ids, values, highest };
}

// A power of two is looked up in steps of 1/32; four terms of the series give the rest of e^x to 6·10⁻¹⁰.
const stepsPerNat = 32 / Math.LN2;
const natsPerStep = Math.LN2 / 32;
const powers = Float64Array.from({ length: 4096 }, (_, step) => 2 ** (-step / 32));

/**
 * Writes e^(value − highest) to `out`, in half the time of `Math.exp`; 0 below 2⁻¹²⁸.
 *
 * @returns their sum
 */
export function exponentials(values: Float32Array, highest: number, out: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    const steps = (highest - values[index]!) * stepsPerNat;
    let value = 0;
    if (steps < powers.length - 1) {
      const whole = (steps + 0.5) | 0;
      const rest = (whole - steps) * natsPerStep;
      value = powers[whole]! * (1 + rest * (1 + rest * (1 / 2 + rest * (1 / 6))));
    }
    out[index] = value;
    sum += value;
  }
  return sum;
}

/** Sums of masses, by how far their values are below the highest: see {@link cutByMass}. */
export type MassBuckets = Float64Array;

/** Buckets of values whose masses are e^(value − highest). */
export function exponentialBuckets(values: Float32Array, highest: number): MassBuckets {
  const sums = new Float64Array(powers.length);
  for (let index = 0; index < values.length; index++) {
    const steps = (highest - values[index]!) * stepsPerNat;
    if (!(steps < powers.length - 1)) continue;
    const whole = (steps + 0.5) | 0;
    const rest = (whole - steps) * natsPerStep;
    sums[whole]! += powers[whole]! * (1 + rest * (1 + rest * (1 / 2 + rest * (1 / 6))));
  }
  return sums;
}

/** Buckets of values with any masses. */
export function massBuckets(values: Float32Array, highest: number, masses: Float32Array): MassBuckets {
  const sums = new Float64Array(powers.length);
  for (let index = 0; index < values.length; index++) sums[bucketOf(values[index]!, highest)]! += masses[index]!;
  return sums;
}

/** The last bucket has all that is far below. */
function bucketOf(value: number, highest: number): number {
  const steps = (highest - value) * stepsPerNat;
  return steps < powers.length - 1 ? (steps + 0.5) | 0 : powers.length - 1;
}

/** The `count`-th largest value, duplicates counted; the smallest one if there are fewer. */
export function kthLargest(values: Float32Array, count: number): number {
  const size = Math.min(count, values.length);
  // A heap beats sorting as long as few values enter it.
  if (size > values.length / 8) return values.slice().sort()[values.length - size]!;
  const heap = new Float32Array(size).fill(Number.NEGATIVE_INFINITY);
  let smallest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (value > smallest) smallest = replaceSmallest(heap, value);
  }
  return smallest;
}

/** Puts a value in place of a heap's smallest. Returns the smallest one then. */
function replaceSmallest(heap: Float32Array, value: number): number {
  let hole = 0;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= value) break;
    heap[hole] = heap[child]!;
    hole = child;
  }
  heap[hole] = value;
  return heap[0]!;
}

/** Where a walk from the largest value downwards ends. */
export interface Cut {
  /** The value at which the mass sufficed; the lowest one, or −∞, if all of it did not. */
  readonly value: number;
  /** Mass of the values above. */
  readonly massAbove: number;
}

/**
 * Walks values from the largest downwards until their masses suffice. Nothing is sorted: the walk goes by buckets, and
 * only the one in which it ends is divided further.
 *
 * @param massOf mass of the value at an index
 * @param suffices whether a sum of masses is enough; true for all sums above one for which it is
 */
export function cutByMass(
  values: Float32Array,
  highest: number,
  buckets: MassBuckets,
  massOf: (index: number) => number,
  suffices: (mass: number) => boolean,
): Cut {
  let massAbove = 0;
  let bucket = 0;
  while (bucket < buckets.length - 1 && !suffices(massAbove + buckets[bucket]!)) massAbove += buckets[bucket++]!;
  // Most values are told by a comparison; those near the border of the bucket by its number.
  const upper = highest - (bucket - 1) * natsPerStep;
  const lower = bucket < buckets.length - 1 ? highest - (bucket + 1) * natsPerStep : Number.NEGATIVE_INFINITY;
  const inside: number[] = [];
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (value >= lower && value <= upper && bucketOf(value, highest) === bucket) inside.push(index);
  }
  const insideValues = Float32Array.from(inside, (index) => values[index]!);
  return divide(insideValues, Float64Array.from(inside, massOf), massAbove, suffices);
}

/** Quickselect by mass: each round keeps the part in which the walk ends. */
function divide(
  values: Float32Array,
  masses: Float64Array,
  massBefore: number,
  suffices: (mass: number) => boolean,
): Cut {
  const inside = Int32Array.from(values.keys());
  let start = 0;
  let end = inside.length;
  let massAbove = massBefore;
  let cut: Cut = { value: Number.NEGATIVE_INFINITY, massAbove };
  while (start < end) {
    const pivot = medianOfThree(values, inside, start, end);
    // inside: from `start` larger values than the pivot, from `above` equal ones, from `below` smaller ones.
    let above = start;
    let below = end;
    let larger = 0;
    let equal = 0;
    for (let index = start; index < below; ) {
      const candidate = inside[index]!;
      const value = values[candidate]!;
      if (value > pivot) {
        larger += masses[candidate]!;
        inside[index++] = inside[above]!;
        inside[above++] = candidate;
      } else if (value < pivot) {
        inside[index] = inside[--below]!;
        inside[below] = candidate;
      } else {
        equal += masses[candidate]!;
        index++;
      }
    }
    if (above > start && suffices(massAbove + larger)) {
      end = above;
      continue;
    }
    cut = { value: pivot, massAbove: massAbove + larger };
    massAbove += larger + equal;
    if (suffices(massAbove)) break;
    start = below;
  }
  return cut;
}

function medianOfThree(values: Float32Array, inside: Int32Array, start: number, end: number): number {
  const a = values[inside[start]!]!;
  const b = values[inside[(start + end) >> 1]!]!;
  const c = values[inside[end - 1]!]!;
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
