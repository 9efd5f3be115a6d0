import { BenchmarkError } from '../benchmark-error.js';

/** A random decision that a published implementation took. */
export interface StoredDraw {
  readonly choice: number;
  readonly of: number;
}

/** Takes stored decisions, in their order. */
export function replayDraws(draws: readonly StoredDraw[]) {
  let next = 0;
  return {
    choice(count: number): number {
      const draw = draws[next++];
      if (draw?.of === count) return draw.choice;
      throw new BenchmarkError({
        operation: 'replay draws',
        expected: `a choice of ${draw?.of ?? 'nothing'}`,
        received: `one of ${count}`,
      });
    },
    /** How many are left over. */
    left: () => draws.length - next,
  };
}
