import type { FoundLibrary } from './find-libraries.js';
import type { Native } from './native.js';

/** Version of NCCL, such as 22703 for 2.27.3; undefined where the library does not say. */
export function ncclVersion(native: Native, found: FoundLibrary): number | undefined {
  const getVersion = native.load(found).optional('ncclGetVersion', ['uint64']);
  if (!getVersion) return undefined;
  const place = native.allocate(8);
  try {
    return getVersion(place.address) === 0 ? place.view.getInt32(0, true) : undefined;
  } finally {
    place.free();
  }
}
