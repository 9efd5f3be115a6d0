import { join } from 'node:path';
import koffi from 'koffi';
import { findCudaLibraries, type LibrarySearch } from '../../../src/engine/cuda/libraries/find-libraries.js';
import type { SoftwareDevice } from './software-device/software-device.js';

/** The software device's libraries, and no others. */
export function softwareSearch(device: SoftwareDevice): LibrarySearch {
  return findCudaLibraries({
    variables: { OCELLI_CUDA_LIBRARIES: folderOf(device) },
    platform: 'linux',
    home: '/nowhere',
    system: [],
    local: '/nowhere',
    loaderCache: () => '',
  });
}

/** Settings and counters of the software device; see its README. */
export function softwareSettings(device: SoftwareDevice): {
  set(name: string, value: number): void;
  read(name: string): number;
} {
  const library = koffi.load(join(folderOf(device), 'libcuda.so.1'));
  const set = library.func('softwareDeviceSet', 'int', ['str', 'int64']);
  const read = library.func('softwareDeviceRead', 'int64', ['str']);
  return {
    set(name, value) {
      if (set(name, value) !== 1) throw new RangeError(`the software device has no setting ${name}`);
    },
    read: (name) => Number(read(name)),
  };
}

function folderOf(device: SoftwareDevice): string {
  if ('skipped' in device) throw new Error(device.skipped);
  return device.folder;
}
