import { guarded, type Parameter, writes } from './launch-text.js';

/**
 * What the first of the four words of failure says; see `fail` in the prelude. An index: the index, the size of its axis.
 * A slice: its start, the size of the axis, the number of its places.
 */
export const failureCodes = { index: 1, division: 2, slice: 3 } as const;

/** The last parameter of a kernel that can fail. What is out of range is neither read nor written. */
export const failureParameter: Parameter = writes('failure', 'int', 'failure');

/** Functions that note a failure. */
export const failureFunctions = guarded(
  'FAILURE',
  `
__device__ __forceinline__ bool index_fits(int64 index, int64 size, int* failure) {
  if (index >= 0 && index < size) return true;
  const int64 most = 2147483647;
  fail(failure, ${failureCodes.index}, (int)(index > most ? most : index < -most ? -most : index), (int)size);
  return false;
}
__device__ __forceinline__ bool slice_fits(int64 start, int count, int size, int* failure) {
  if (start >= 0 && start <= size - count) return true;
  const int64 most = 2147483647;
  if (atomicCAS(failure, 0, ${failureCodes.slice}) == 0) {
    failure[1] = (int)(start > most ? most : start < -most ? -most : start);
    failure[2] = size;
    failure[3] = count;
  }
  return false;
}`,
);
