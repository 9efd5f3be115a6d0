import type { ProgramPlan } from '../compiler/program-plan.js';
import { valuesOf, writtenBy } from '../compiler/step-values.js';

/** When a program reads its arguments for the last time, and writes its results for the first. */
export interface AliasTable {
  /** Whether a result may take an argument's memory: nobody reads the argument once the result is being written. */
  mayShare(input: number, output: number): boolean;
}

/** @returns what a plan allows; a kernel that reads an argument and writes a result does so element by element. */
export function aliasTable({ values, steps, outputs }: ProgramPlan): AliasTable {
  const lastRead = new Map<number, number>();
  const firstWrite = new Map<number, number>();
  steps.forEach((step, time) => {
    const written = writtenBy(step);
    for (const value of valuesOf(step)) {
      const { place } = values[value]!;
      // A product goes over its operands more than once; whoever reads as it writes counts as reading after.
      if (place.kind === 'input') lastRead.set(place.position, step.kind === 'matmul' ? time + 0.5 : time);
      if (place.kind === 'output' && written.includes(value) && !firstWrite.has(place.index)) {
        firstWrite.set(place.index, time);
      }
    }
  });
  for (const output of outputs) {
    const { place } = values[output]!;
    if (place.kind === 'input') lastRead.set(place.position, steps.length);
  }
  return {
    mayShare: (input, output) => (lastRead.get(input) ?? -1) <= (firstWrite.get(output) ?? Number.POSITIVE_INFINITY),
  };
}
