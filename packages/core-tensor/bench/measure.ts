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

/** Runs both sides in turn, after one warm-up each, so that a change in the machine's speed meets both. */
export async function interleaved(a: () => Promise<unknown>, b: () => Promise<unknown>, rounds = 7): Promise<[number, number]> {
  await a();
  await b();
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    times[0].push(await seconds(a));
    times[1].push(await seconds(b));
  }
  return [median(times[0]), median(times[1])];
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
