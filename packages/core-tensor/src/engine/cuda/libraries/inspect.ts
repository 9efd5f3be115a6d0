import { bindCublasLt } from './cublas-lt.js';
import { cudnnVersion } from './cudnn.js';
import { bindDriver, type DeviceFacts } from './driver.js';
import { type FoundLibrary, findCudaLibraries, fittingLibraries, type LibrarySearch } from './find-libraries.js';
import { type LibraryName, libraryKinds, libraryNames } from './library-kinds.js';
import { loadNative, type Native } from './native.js';
import { ncclVersion } from './nccl.js';
import { bindNvrtc } from './nvrtc.js';
import { formatCudaVersion } from './open-libraries.js';

/** What is known about one of NVIDIA's libraries on this machine. */
export interface LibraryReport {
  readonly name: LibraryName;
  readonly title: string;
  readonly purpose: string;
  readonly required: boolean;
  /** How the engine does without it, where it can. */
  readonly without: string | undefined;
  readonly path: string | undefined;
  readonly version: string | undefined;
  /** Why it cannot be used, although it is there. */
  readonly problem: string | undefined;
  /** What brings it. */
  readonly install: string;
}

/** What the `cuda` engine would find on this machine. */
export interface CudaReport {
  readonly libraries: readonly LibraryReport[];
  readonly devices: readonly DeviceFacts[];
  /** Why cards could not be asked for, where there is a driver. */
  readonly deviceProblem: string | undefined;
  /** Whether the package that calls the libraries is installed. */
  readonly hasKoffi: boolean;
}

/** Looks for NVIDIA's libraries and cards; nothing is computed and nothing missing is an error. */
export async function inspectCuda(search: LibrarySearch = findCudaLibraries()): Promise<CudaReport> {
  const native = await loadNative().catch(() => undefined);
  const driver = inspectDriver(native, search);
  const major = driver.major ?? 13;
  const libraries = libraryNames.map((name): LibraryReport => {
    const { title, purpose, required, without, install } = libraryKinds[name];
    const common = { name, title, purpose, required, without, install: install(major) };
    if (name === 'driver') return { ...common, ...driver.library };
    const chosen = fittingLibraries(search, name, major)[0];
    const newer = search.found[name][0];
    if (!chosen) {
      const problem = newer && `it is for CUDA ${newer.major}, and the driver for ${major}`;
      return { ...common, path: newer?.path, version: undefined, problem };
    }
    return { ...common, path: chosen.path, ...(native ? tried(() => versionOf(native, name, chosen)) : unknown) };
  });
  return { libraries, devices: driver.devices, deviceProblem: driver.deviceProblem, hasKoffi: native !== undefined };
}

const unknown = { version: undefined, problem: undefined } as const;

function inspectDriver(native: Native | undefined, search: LibrarySearch) {
  const found = fittingLibraries(search, 'driver', 0)[0];
  const none = { major: undefined, devices: [], deviceProblem: undefined };
  if (!found || !native) return { ...none, library: { path: found?.path, ...unknown } };
  try {
    const driver = bindDriver(native, found);
    const version = driver.version();
    const library = { path: found.path, version: `CUDA ${formatCudaVersion(version)}`, problem: undefined };
    const major = Math.floor(version / 1000);
    try {
      driver.initialize();
      const devices = Array.from({ length: driver.deviceCount() }, (_, index) => driver.device(index).facts);
      return { library, major, devices, deviceProblem: undefined };
    } catch (error) {
      return { library, major, devices: [], deviceProblem: (error as Error).message };
    }
  } catch (error) {
    return { ...none, library: { path: found.path, version: undefined, problem: (error as Error).message } };
  }
}

function tried(version: () => string | undefined): Pick<LibraryReport, 'version' | 'problem'> {
  try {
    return { version: version(), problem: undefined };
  } catch (error) {
    return { version: undefined, problem: (error as Error).message };
  }
}

function versionOf(native: Native, name: Exclude<LibraryName, 'driver'>, found: FoundLibrary): string | undefined {
  switch (name) {
    case 'nvrtc':
      return bindNvrtc(native, found).version().join('.');
    case 'cublasLt':
      return spelled(bindCublasLt(native, found).version(), 10_000);
    case 'cudnn':
      return spelled(cudnnVersion(native, found), 10_000);
    case 'nccl':
      return spelled(ncclVersion(native, found), 10_000);
  }
}

/** `9.10.2` for 91002: a major version above `unit`, two digits each of the others. */
function spelled(version: number | undefined, unit: number): string | undefined {
  if (version === undefined) return undefined;
  return [Math.floor(version / unit), Math.floor((version % unit) / 100), version % 100].join('.');
}
