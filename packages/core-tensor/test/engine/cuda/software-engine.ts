import { join } from 'node:path';
import koffi from 'koffi';
import { findCudaLibraries, type LibrarySearch } from '../../../src/engine/cuda/libraries/find-libraries.js';
import { loadNative } from '../../../src/engine/cuda/libraries/native.js';
import { type SoftwareDevice, softwareDevice } from './software-device/software-device.js';

/** What the engine is tested on, and its libraries. */
export type DeviceUnderTest =
  | { readonly skipped: string }
  | {
      readonly search: LibrarySearch;
      /** How the software device behaves; a card behaves as it does. */
      readonly settings: SoftwareSettings | undefined;
    };

/** The machine's card where `pnpm test:cuda` found one, else the software device. */
export async function deviceUnderTest(): Promise<DeviceUnderTest> {
  if (process.env.OCELLI_TEST_CUDA === 'card') return { search: findCudaLibraries(), settings: undefined };
  const device = await softwareDevice();
  if ('skipped' in device) return device;
  // Before the first library is loaded, as in a program: threads get stacks deep enough for the compiler.
  await loadNative();
  return { search: softwareSearch(device), settings: softwareSettings(device) };
}

/** Settings and counters of the software device. */
export interface SoftwareSettings {
  set(name: string, value: number): void;
  read(name: string): number;
}

/** The software device's libraries, and no others. */
function softwareSearch(device: SoftwareDevice): LibrarySearch {
  return findCudaLibraries({
    variables: { OCELLI_CUDA_LIBRARIES: folderOf(device) },
    platform: 'linux',
    home: '/nowhere',
    system: [],
    local: '/nowhere',
    loaderCache: () => '',
  });
}

function softwareSettings(device: SoftwareDevice): SoftwareSettings {
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
