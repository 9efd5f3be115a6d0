import { sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import { eachOf, launch, reads, spread, writes } from './launch-text.js';
import { type CudaLowering, nothing } from './lowered.js';

/**
 * A thread per block of Philox4x32-10, four numbers: see random/philox.ts. In float32 the bits are those of every other
 * engine; a narrower storage rounds, and may round to 1.
 */
export const randomUniform: CudaLowering<'randomUniform'> = ({ shape, dtype, attributes: { stream } }) => {
  const total = sizeOf(shape);
  if (total === 0) return nothing;
  const blocks = Math.ceil(total / 4);
  const body = `
${eachOf(blocks)}
uint32 c0 = (uint32)i, c1 = 0, c2 = ${stream}u, c3 = 0, key0 = (uint32)key[0], key1 = (uint32)key[1];
#pragma unroll
for (int round = 0; round < 10; round++) {
  const unsigned long long p0 = (unsigned long long)c0 * 0xd2511f53u, p1 = (unsigned long long)c2 * 0xcd9e8d57u;
  c0 = (uint32)(p1 >> 32) ^ c1 ^ key0;
  c1 = (uint32)p1;
  c2 = (uint32)(p0 >> 32) ^ c3 ^ key1;
  c3 = (uint32)p0;
  key0 += 0x9e3779b9u;
  key1 += 0xbb67ae85u;
}
const uint32 random[4] = { c0, c1, c2, c3 };
const int64 first = (int64)i * 4;
#pragma unroll
for (int j = 0; j < 4; j++)
  if (first + j < ${total}) out[first + j] = from_float<${cTypes[dtype]}>((random[j] >> 8) * 5.9604644775390625e-8f);`;
  return {
    launches: [
      launch({
        name: 'random_uniform',
        parameters: [reads(0, 'int', 'key'), writes('out', cTypes[dtype], 'out')],
        body,
        ...spread(blocks),
      }),
    ],
    temporaries: [],
  };
};
