import { describe, expect, test } from 'vitest';
import { byteSize } from '../../../../src/dtype.js';
import { buildGraph } from '../../../../src/engine/build-graph.js';
import { planProgram } from '../../../../src/engine/cuda/compiler/plan-program.js';
import type { PlannedValue } from '../../../../src/engine/cuda/compiler/program-plan.js';
import { valuesOf, writtenBy } from '../../../../src/engine/cuda/compiler/step-values.js';
import { sizeOf } from '../../../../src/graph/shape.js';
import { Tensor } from '../../../../src/tensor.js';
import { network } from '../random-network.js';

const bytesOf = ({ shape, dtype }: PlannedValue) => sizeOf(shape) * byteSize(dtype);

describe.each(['float32', 'bfloat16'] as const)('plans of networks at random under %s', (precision) => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))('%i', (seed) => {
    const shapes = [
      [6, 8],
      [6, 8],
      [1, 8],
    ];
    const inputs = shapes.map((shape) => new Tensor(shape, 'float32', { kind: 'input' }));
    const { graph } = buildGraph(network(seed)(...inputs), inputs, () => ({ kind: 'constant' }));
    const { values, steps, preparation, outputs, arenaBytes } = planProgram(graph, { precision });
    const all = [...preparation, ...steps];
    const written = new Set<number>();
    const lastUse = new Map<number, number>();
    all.forEach((step, time) => {
      const writes = writtenBy(step);
      for (const value of valuesOf(step)) {
        lastUse.set(value, time);
        const { kind } = values[value]!.place;
        const isThere = kind === 'input' || kind === 'constant' || written.has(value) || writes.includes(value);
        expect(isThere, `step ${time} reads value ${value}`).toBe(true);
      }
      for (const value of writes) {
        written.add(value);
        expect(['input', 'constant', 'resident'], `step ${time} writes`).not.toContain(values[value]!.place.kind);
      }
      if (step.kind === 'matmul') expect(values[step.a.value]!.dtype).toBe(values[step.b.value]!.dtype);
    });
    for (const output of outputs) expect(written.has(output)).toBe(true);

    // Nothing is written over that is still to be read.
    const owners = new Map<number, number>();
    all.forEach((step, time) => {
      for (const value of writtenBy(step)) {
        const { place } = values[value]!;
        if (place.kind !== 'arena') continue;
        const end = place.offset + bytesOf(values[value]!);
        expect(end).toBeLessThanOrEqual(arenaBytes);
        for (const [other, until] of owners) {
          const there = values[other]!;
          const start = (there.place as { readonly offset: number }).offset;
          const overlaps = other !== value && start < end && place.offset < start + bytesOf(there);
          if (overlaps) expect(until, `value ${other} at step ${time}`).toBeLessThan(time);
        }
        owners.set(value, lastUse.get(value)!);
      }
    });
  });
});
