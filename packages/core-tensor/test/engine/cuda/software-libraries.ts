import { findCudaLibraries, type LibrarySearch } from '../../../src/engine/cuda/libraries/find-libraries.js';
import type { SoftwareDevice } from './software-device/software-device.js';

/** The software device's libraries, and no others of the machine. */
export function softwareLibraries(device: SoftwareDevice): LibrarySearch {
  if ('skipped' in device) throw new Error(device.skipped);
  return findCudaLibraries({
    variables: { OCELLI_CUDA_LIBRARIES: device.folder },
    platform: 'linux',
    home: '/nowhere',
    system: [],
    local: '/nowhere',
    loaderCache: () => '',
  });
}
