import { matmulProduct, productOfStep } from '../codegen/matmul.js';
import type { Step } from './program-plan.js';
import type { Values } from './values.js';
import { bindLaunches } from './write-launches.js';

/** Steps in which kernels of this package multiply, where the library of products is missing: slower, and as exact. */
export function withOwnProducts(steps: readonly Step[], values: Values): Step[] {
  return steps.flatMap((step): Step[] => {
    if (step.kind !== 'matmul') return [step];
    const { a, b, bias, residual, out } = step;
    const inputs = [a.value, b.value, bias, residual].filter((value) => value !== undefined);
    return bindLaunches(matmulProduct(productOfStep(step, values.dtype)), { inputs, outputs: [out.value] }, values);
  });
}
