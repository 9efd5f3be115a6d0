import type { Step } from './program-plan.js';

/** Values that a step reads or writes. */
export function valuesOf(step: Step): number[] {
  switch (step.kind) {
    case 'kernel':
      return step.arguments.filter((each) => each !== 'failure');
    case 'matmul':
      return [step.a.value, step.b.value, step.out.value, step.bias, step.residual].filter(
        (each) => each !== undefined,
      );
    default:
      return step.kind === 'copy' ? [step.from, step.to] : [step.value];
  }
}

/** Values that a step writes. */
export function writtenBy(step: Step): readonly number[] {
  switch (step.kind) {
    case 'kernel':
      return step.writes;
    case 'matmul':
      return [step.out.value];
    case 'fill':
      return [step.value];
    case 'copy':
      return [step.to];
  }
}
