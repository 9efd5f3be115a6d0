import type { MatmulNBitsAttributes } from '../../../src/primitives/attributes.js';
import type { Case } from '../../support/case.js';
import { type InputSpec, uniform } from '../../support/host-tensor.js';
import { applies, type CaseTable } from './case.js';

const bytes = (...shape: number[]): InputSpec => uniform(shape, { low: 0, high: 256, dtype: 'uint8' });
const scales = (...shape: number[]): InputSpec => uniform(shape, { low: -0.2, high: 0.3 });

function nbits(
  x: readonly number[],
  outputs: number,
  {
    bits = 4,
    blockSize = 16,
    accuracyLevel = 1,
    zeroPoints = false,
  }: Partial<MatmulNBitsAttributes> & { zeroPoints?: boolean } = {},
): Case {
  const blocks = Math.ceil(x.at(-1)! / blockSize);
  return applies(
    'matmulNBits',
    `of [${x.join(', ')}] and ${outputs} rows of ${bits} bits in blocks of ${blockSize}${zeroPoints ? ' with zero points' : ''}, level ${accuracyLevel}`,
    [
      uniform(x),
      bytes(outputs, blocks, (blockSize * bits) / 8),
      scales(outputs, blocks),
      ...(zeroPoints ? [bytes(outputs, Math.ceil((blocks * bits) / 8))] : []),
    ],
    { bits, blockSize, accuracyLevel },
  );
}

function bnb4(
  x: readonly number[],
  outputs: number,
  {
    format = 'nf4' as 'nf4' | 'fp4',
    blockSize = 64,
    accuracyLevel = 1,
  }: { format?: 'nf4' | 'fp4'; blockSize?: number; accuracyLevel?: 1 | 4 } = {},
): Case {
  const count = outputs * x.at(-1)!;
  return applies(
    'matmulBnb4',
    `of [${x.join(', ')}] and ${outputs} rows of ${format} in blocks of ${blockSize}, level ${accuracyLevel}`,
    [uniform(x), bytes(Math.ceil(count / 2)), scales(Math.ceil(count / blockSize))],
    { format, blockSize, outputs, accuracyLevel },
  );
}

export const quantizedCases = {
  matmulNBits: [
    nbits([2, 32], 3),
    nbits([2, 3, 48], 5, { zeroPoints: true }),
    nbits([1, 40], 2, { blockSize: 32, zeroPoints: true }),
    nbits([19], 3),
    nbits([2, 600], 2, { blockSize: 512 }),
    nbits([1, 1100], 2, { blockSize: 512, zeroPoints: true }),
    nbits([2, 32], 3, { bits: 8 }),
    nbits([2, 3, 45], 4, { bits: 8, zeroPoints: true }),
    nbits([70, 24], 3, { bits: 8, zeroPoints: true }),
    nbits([1, 600], 2, { bits: 8, blockSize: 512, zeroPoints: true }),
    nbits([2, 32], 3, { accuracyLevel: 4 }),
    nbits([0, 32], 3),
  ],
  matmulBnb4: [
    bnb4([2, 64], 3),
    bnb4([2, 3, 48], 5, { format: 'fp4' }),
    bnb4([1, 24], 5),
    bnb4([3, 5], 3, { blockSize: 16 }),
    bnb4([1, 300], 4, { blockSize: 512 }),
    bnb4([9], 3, { format: 'fp4' }),
    bnb4([2, 64], 3, { accuracyLevel: 4 }),
    bnb4([0, 64], 3),
  ],
} satisfies Partial<CaseTable>;
