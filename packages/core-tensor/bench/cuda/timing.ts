import { setTimeout } from 'node:timers/promises';
import { dispose, type Tensor } from '../../src/index.js';

/** Makes one step and gives its results; the engine may still be computing them. */
export type Step = () => Promise<readonly Tensor[]>;

/** Milliseconds of a step, on average over as many as asked for. */
export type Side = (steps: number) => Promise<number>;

/** Milliseconds between two measurements, in which the card is idle. */
const pause = 50;

/**
 * Steps are ordered without waiting in between, as in training; the clock stops when the smallest result of the last
 * one has arrived. The card computes in the order of calls, so everything is done by then.
 *
 * @throws RangeError if that result has a number that is not finite: such a step may be fast for the wrong reason
 */
export function sideOf(step: Step): Side {
  return async (steps) => {
    const start = performance.now();
    let results: readonly Tensor[] = [];
    for (let i = 0; i < steps; i++) {
      dispose(results);
      results = await step();
    }
    const values = await results.reduce((smallest, each) => (each.size < smallest.size ? each : smallest)).data();
    const milliseconds = (performance.now() - start) / steps;
    if (results.every(({ dtype }) => dtype === 'float32') && !Array.from(values, Number).every(Number.isFinite)) {
      throw new RangeError('a step gave numbers that are not finite');
    }
    dispose(results);
    return milliseconds;
  };
}

/** How often sides are measured, and how many steps each time. */
export interface Repetition {
  readonly rounds: number;
  readonly steps: number;
}

/** Medians of sides that are measured in turn, after a warm-up each, so that the card's clocks meet them alike. */
export async function medians(sides: readonly Side[], { rounds, steps }: Repetition): Promise<number[]> {
  const times: number[][] = sides.map(() => []);
  for (const side of sides) await side(Math.min(steps, 3));
  for (let round = 0; round < rounds; round++) {
    for (const [index, side] of sides.entries()) {
      await setTimeout(pause);
      times[index]!.push(await side(steps));
    }
  }
  return times.map(median);
}

/** @param values at least one */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
