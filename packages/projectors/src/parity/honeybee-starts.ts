import { compareExactly, type Parameter, type ParityChecks, parseConfig, worstOf } from '@ocelli/core-tensor';
import { z } from 'zod';
import { createProjector } from '../registry.js';
import { projectorOfShapes } from './projector-shapes.js';

const shape = z.array(z.number());

const sizesSchema = z.object({
  projectors: z.record(z.string(), z.object({ total: z.number(), parameters: z.record(z.string(), shape) })),
});

const startsSchema = z.object({
  parameters: z.record(z.string(), z.record(z.string(), z.object({ shape, mean: z.number(), std: z.number() }))),
});

/** Mean and deviation of a parameter's elements. */
async function statistics(parameter: Parameter): Promise<{ mean: number; std: number }> {
  const values = (await parameter.data()) as Float32Array;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return { mean, std };
}

/** Names, sizes and first values of Honeybee's projectors. */
export const honeybeeStartChecks: ParityChecks = {
  'honeybee/parameters_full_size': async (fixture) => {
    const { projectors } = parseConfig('parameters fixture', sizesSchema, fixture.config);
    const results = Object.entries(projectors).map(([name, expected]) => {
      const projector = createProjector(projectorOfShapes(name, expected.parameters));
      const named = Object.entries(projector.namedParameters()).map(([key, each]) => [key, [...each.shape]]);
      const actual = { total: projector.parameterCount(), parameters: Object.fromEntries(named) };
      return compareExactly(actual, expected, name);
    });
    return worstOf(results);
  },

  'honeybee/initial_values': async (fixture) => {
    const { parameters: starts } = parseConfig('initial values fixture', startsSchema, fixture.config);
    const mismatches: string[] = [];
    for (const [name, expected] of Object.entries(starts)) {
      const shapes = Object.fromEntries(Object.entries(expected).map(([key, each]) => [key, each.shape]));
      const parameters = createProjector(projectorOfShapes(name, shapes)).initialize(0).namedParameters();
      const named = Object.entries(parameters).map(([key, each]) => [key, [...each.shape]]);
      mismatches.push(...compareExactly(Object.fromEntries(named), shapes, name).mismatches);
      for (const [key, { mean, std }] of Object.entries(expected)) {
        const parameter = parameters[key];
        if (!parameter) continue;
        const actual = await statistics(parameter);
        // Both are samples: five deviations of a sample's mean and of its deviation, and the rounding of the file.
        const slack = std === 0 ? 1e-6 : (5 * Math.SQRT2 * std) / Math.sqrt(parameter.size) + 1e-4;
        if (Math.abs(actual.mean - mean) <= slack && Math.abs(actual.std - std) <= slack) continue;
        mismatches.push(`${name}.${key}: mean ${actual.mean}, deviation ${actual.std} instead of ${mean}, ${std}`);
      }
    }
    return { forward: 0, gradient: 0, mismatches };
  },
};
