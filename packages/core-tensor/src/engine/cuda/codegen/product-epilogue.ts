import { byteSize } from '../../../dtype.js';
import type { KernelStep, MatmulStep, PlannedValue } from '../compiler/program-plan.js';
import { cTypes } from './c-types.js';
import { eachOf, float, integer, spread } from './launch-text.js';

/**
 * What is left to do after a product where the library does not: out = activation(out + bias) + residual, or the same of
 * nothing where a product has no terms.
 */
export function productEpilogue(step: MatmulStep, values: readonly PlannedValue[], isEmpty: boolean): KernelStep {
  const { out, m, n, batch, bias, residual, activation } = step;
  const { dtype } = values[out.value]!;
  const type = cTypes[dtype];
  const operands = [
    { value: out.value, name: 'out' },
    ...(bias === undefined ? [] : [{ value: bias, name: 'bias' }]),
    ...(residual === undefined ? [] : [{ value: residual, name: 'residual' }]),
  ];
  const parameters = operands.map(({ value, name }) => {
    const element = cTypes[values[value]!.dtype];
    return name === 'out' ? `${element}* ${name}` : `const ${element}* ${name}`;
  });
  const count = batch * m * n;
  const { blocks, threads } = spread(count);
  const place = out.transpose ? `column * ${integer(out.rowStride)} + row` : `row * ${integer(out.rowStride)} + column`;
  const lines = [
    eachOf(count),
    `const int64 column = i % ${n}, row = i / ${n} % ${m}, pair = (int64)i / ${integer(m * n)};`,
    `const int64 place = ${integer(out.offset)} + pair * ${integer(out.batchStride)} + ${place};`,
    `float x = ${isEmpty ? float(0) : 'to_float(out[place])'};`,
    ...(bias === undefined ? [] : ['x += to_float(bias[column]);']),
    ...(activation === 'relu' ? ['x = fmaxf(x, 0.0f);'] : []),
    ...(activation === 'gelu-tanh'
      ? ['x = 0.5f * x * (1.0f + tanhf(0.7978845608028654f * (x + 0.044715f * x * x * x)));']
      : []),
    ...(residual === undefined ? [] : ['x += to_float(residual[place]);']),
    `out[place] = from_float<${type}>(x);`,
  ];
  const name = `product_epilogue_${byteSize(dtype)}`;
  return {
    kind: 'kernel',
    kernel: {
      name,
      source: `extern "C" __global__ void ${name}(${parameters.join(', ')}) {\n${lines.join('\n')}\n}\n`,
    },
    grid: [blocks, 1, 1],
    block: [threads, 1, 1],
    sharedBytes: 0,
    arguments: operands.map(({ value }) => value),
    writes: [out.value],
  };
}
