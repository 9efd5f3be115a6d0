import { setTimeout } from 'node:timers/promises';

/** Measurements of each side. */
const rounds = 9;

/** Milliseconds before each, in which the threads of the side before stop spinning. */
const pause = 200;

/** Seconds that `run` takes. */
export async function seconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Seconds of several runs. */
export interface Timing {
  readonly median: number;
  /** The shortest, which other work on the machine disturbs least. */
  readonly best: number;
}

function timing(times: readonly number[]): Timing {
  return { median: median(times), best: Math.min(...times) };
}

/**
 * Runs all sides in turn, after one warm-up each, so that a change in the machine's speed meets them all.
 *
 * @param sides each returns the seconds that it took.
 */
export async function interleaved(...sides: readonly (() => Promise<number>)[]): Promise<Timing[]> {
  const times: number[][] = sides.map(() => []);
  for (const side of sides) await side();
  for (let round = 0; round < rounds; round++) {
    for (const [index, side] of sides.entries()) {
      await setTimeout(pause);
      times[index]!.push(await side());
    }
  }
  return times.map(timing);
}

/**
 * Prints a result as a line of JSON.
 *
 * @param ratio what the target is about; `undefined` where it could not be measured.
 * @param holds whether it meets the target; `null` where it could not be measured.
 */
export function report(
  name: string,
  ratio: number | undefined,
  target: string,
  holds: boolean | null,
  details: Readonly<Record<string, unknown>> = {},
): void {
  const round = (value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);
  const rounded = Object.fromEntries(Object.entries(details).map(([key, value]) => [key, round(value)]));
  console.log(JSON.stringify({ name, ratio: round(ratio) ?? null, target, holds, ...rounded }));
}
