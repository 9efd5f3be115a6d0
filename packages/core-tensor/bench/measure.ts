/** Seconds that `run` takes. */
export async function seconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

export function median(values: readonly number[]): number {
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

export function timing(times: readonly number[]): Timing {
  return { median: median(times), best: Math.min(...times) };
}

/** Runs both sides in turn, after one warm-up each, so that a change in the machine's speed meets both. */
export async function interleaved(
  a: () => Promise<number>,
  b: () => Promise<number>,
  rounds = 9,
): Promise<[a: Timing, b: Timing]> {
  await a();
  await b();
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    times[0].push(await a());
    times[1].push(await b());
  }
  return [timing(times[0]), timing(times[1])];
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
