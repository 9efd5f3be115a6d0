import type { FoundLibrary } from './find-libraries.js';
import type { Native } from './native.js';

/** Version of cuDNN, such as 91002 for 9.10.2; undefined where the library does not say. */
export function cudnnVersion(native: Native, found: FoundLibrary): number | undefined {
  return native.load(found).optional('cudnnGetVersion', [], 'uint64')?.();
}
