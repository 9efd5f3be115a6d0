import { byteSize } from '../../../dtype.js';
import { sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import { aroundAxis } from './indexing.js';
import {
  converted,
  eachOf,
  indexType,
  integer,
  launch,
  reads,
  spread,
  widestWord,
  wordTypes,
  writes,
} from './launch-text.js';
import type { CudaLowering, PlannedLaunch } from './lowered.js';

/** More inputs become several launches: each compares a place with all of its inputs. */
const inputsOfLaunch = 16;

/** A thread per word of the result, which finds the input it comes from. */
export const concat: CudaLowering<'concat'> = ({ inputs, shape, dtype, attributes: { axis } }) => {
  const { outer, size, inner } = aroundAxis(shape, axis);
  const whole = inputs.every((input) => input.dtype === dtype);
  const bytes = byteSize(dtype);
  const word = widestWord(inputs.map((input) => input.shape[axis]! * inner * bytes));
  // Words of a line: all that an outer place has along the axis and behind it.
  const wordsOf = (along: number) => (whole ? (along * inner * bytes) / word.bytes : along * inner);
  const line = wordsOf(size);
  let start = 0;
  const parts = inputs.map((input, place) => {
    const part = { place, start, length: wordsOf(input.shape[axis]!), dtype: input.dtype };
    start += part.length;
    return part;
  });
  const filled = outer === 0 ? [] : parts.filter(({ length }) => length > 0);
  const launches: PlannedLaunch[] = [];
  for (let first = 0; first < filled.length; first += inputsOfLaunch) {
    const group = filled.slice(first, first + inputsOfLaunch);
    const begin = group[0]!.start;
    const length = group.reduce((sum, part) => sum + part.length, 0);
    const total = outer * length;
    const index = indexType(total, sizeOf(shape));
    const copies = group.map(({ place, start: from, length: own, dtype: held }, each) => {
      const element = `x${place}[row * ${integer(own)} + (within - ${integer(from)})]`;
      const condition = each === group.length - 1 ? '' : `if (within < ${integer(from + own)}) `;
      return `${condition}{ out[to] = ${whole ? element : converted(held, dtype, element)}; return; }`;
    });
    const body = `
${eachOf(total)}
const ${index} row = i / ${integer(length)}, within = i % ${integer(length)} + ${integer(begin)}, to = row * ${integer(line)} + within;
${copies.join('\n')}`;
    launches.push(
      launch({
        name: 'concat',
        helpers: [wordTypes],
        parameters: [
          ...group.map(({ place, dtype: held }) => reads(place, whole ? word.type : cTypes[held], `x${place}`)),
          writes('out', whole ? word.type : cTypes[dtype], 'out'),
        ],
        body,
        ...spread(total),
      }),
    );
  }
  return { launches, temporaries: [] };
};
