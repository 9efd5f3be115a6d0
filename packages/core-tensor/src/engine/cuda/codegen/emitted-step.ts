import { createHash } from 'node:crypto';
import type { Kernel, KernelStep } from '../compiler/program-plan.js';
import { cTypes } from './c-types.js';
import type { Emitter } from './emitter.js';

/** A kernel named after its kind and text, so that equal texts are one kernel. */
export function namedKernel(
  kind: string,
  parameters: readonly string[],
  body: readonly string[],
  threads: number,
): Kernel {
  const text = `(${parameters.join(', ')}) {\n${body.map((line) => `  ${line}`).join('\n')}\n}\n`;
  const name = `${kind}_${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
  return { name, source: `extern "C" __global__ void __launch_bounds__(${threads}) ${name}${text}` };
}

/** A launch of what an emitter has written. */
export function emittedStep(
  kind: string,
  emitter: Emitter,
  body: readonly string[],
  { grid, threads }: { readonly grid: KernelStep['grid']; readonly threads: readonly [x: number, y: number] },
): KernelStep {
  const { parameters, mayFail } = emitter;
  // Where a result takes an argument's place, each element is read by the thread that then writes it, and before: what the
  // compiler is promised holds for every order it may choose.
  const texts = parameters.map(
    ({ dtype, written, name }) => `${written ? '' : 'const '}${cTypes[dtype]}* __restrict__ ${name}`,
  );
  if (mayFail) texts.push('int* failure');
  return {
    kind: 'kernel',
    kernel: namedKernel(kind, texts, body, threads[0] * threads[1]),
    grid,
    block: [threads[0], threads[1], 1],
    sharedBytes: 0,
    arguments: [...parameters.map(({ value }) => value), ...(mayFail ? (['failure'] as const) : [])],
    writes: parameters.flatMap(({ value, written }) => (written ? [value] : [])),
  };
}

/** The type of a kernel's indices: 64 bits only where elements outnumber 32. */
export function indexType(elements: number): 'int' | 'int64' {
  return elements < 2 ** 31 ? 'int' : 'int64';
}
