import { given, uniform } from '../../support/host-tensor.js';
import { applies, type CaseTable } from './case.js';

export const specialCases = {
  randomUniform: [
    applies(
      'randomUniform',
      'of a matrix',
      [given([2], [7, -2], 'int32')],
      { shape: [3, 5], stream: 0 },
      { relative: 0 },
    ),
    applies(
      'randomUniform',
      'of another stream',
      [given([2], [7, -2], 'int32')],
      { shape: [9], stream: 4_000_000_000 },
      { relative: 0 },
    ),
    applies('randomUniform', 'of a scalar', [given([2], [-1, 0], 'int32')], { shape: [], stream: 1 }, { relative: 0 }),
  ],
  barrier: [
    applies('barrier', 'behind a matrix', [uniform([2, 3]), uniform([4, 2])], {}, { relative: 0 }),
    applies('barrier', 'behind scalars', [uniform([3]), uniform([]), uniform([])], {}, { relative: 0 }),
    applies(
      'barrier',
      'of integers',
      [uniform([3], { low: 0, high: 9, dtype: 'int32' }), uniform([2])],
      {},
      { withRespectTo: [] },
    ),
    applies(
      'barrier',
      'of bytes',
      [uniform([3], { low: 0, high: 256, dtype: 'uint8' }), uniform([2])],
      {},
      { withRespectTo: [] },
    ),
  ],
  stopGradient: [applies('stopGradient', 'of a matrix', [uniform([2, 3])], {}, { relative: 0, withRespectTo: [] })],
} satisfies Partial<CaseTable>;
