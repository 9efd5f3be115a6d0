import { type Module, normalFloats, randomKey } from '../../src/index.js';

/** Elements above which drawing a parameter's own numbers would take longer than the bench. */
const large = 2 ** 20;

/**
 * Gives large parameters the same random numbers again and again: a product's speed depends on their spread, and not on
 * whether they repeat. Small parameters keep their initializers.
 */
export function fillLargeWeights(module: Module, deviation = 0.02): void {
  const numbers = normalFloats(randomKey(0), large).map((each) => each * deviation);
  for (const parameter of Object.values(module.namedParameters())) {
    if (parameter.size < large) continue;
    const values = new Float32Array(parameter.size);
    for (let start = 0; start < values.length; start += large) {
      values.set(numbers.subarray(0, Math.min(large, values.length - start)), start);
    }
    parameter.set(values, { own: true });
  }
}
