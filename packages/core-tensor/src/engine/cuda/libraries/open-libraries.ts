import { bindCublasLt, type CublasLt } from './cublas-lt.js';
import { CudaLibraryError } from './cuda-error.js';
import { bindDriver, type Driver } from './driver.js';
import { type FoundLibrary, findCudaLibraries, fittingLibraries, type LibrarySearch } from './find-libraries.js';
import { type LibraryName, libraryKinds } from './library-kinds.js';
import { loadNative, type Native } from './native.js';
import { bindNvrtc, type Nvrtc } from './nvrtc.js';

/** What a later major version of CUDA than the newest known driver's is looked for as, where there is no driver. */
const usualMajor = 13;

/** The libraries that the engine computes with. */
export interface CudaLibraries {
  readonly native: Native;
  readonly driver: Driver;
  /** Version of CUDA that the driver supports, such as 13000. */
  readonly driverVersion: number;
  readonly nvrtc: Nvrtc;
  readonly nvrtcVersion: readonly [major: number, minor: number];
  /** cuBLASLt; throws CudaLibraryError where it is missing, so that programs without products run without it. */
  cublasLt(): CublasLt;
}

/**
 * Finds and loads NVIDIA's libraries.
 *
 * @throws EngineError without `koffi`; CudaLibraryError for a library that is missing, does not load, or is for a later
 *   driver.
 */
export async function openCudaLibraries(search: LibrarySearch = findCudaLibraries()): Promise<CudaLibraries> {
  const native = await loadNative();
  const driver = openFirst(search, 'driver', usualMajor, (found) => bindDriver(native, found));
  const driverVersion = driver.version();
  const major = Math.floor(driverVersion / 1000);
  const nvrtc = openFirst(search, 'nvrtc', major, (found) => bindNvrtc(native, found));
  const nvrtcVersion = nvrtc.version();
  if (nvrtcVersion[0] > major) throw tooNew(search, 'nvrtc', nvrtcVersion.join('.'), driverVersion);
  let cublasLt: CublasLt | undefined;
  return {
    native,
    driver,
    driverVersion,
    nvrtc,
    nvrtcVersion,
    cublasLt() {
      cublasLt ??= openFirst(search, 'cublasLt', major, (found) => bindCublasLt(native, found));
      return cublasLt;
    },
  };
}

/** The first library that loads, as one for another architecture does not. */
function openFirst<T>(
  search: LibrarySearch,
  name: LibraryName,
  driverMajor: number,
  open: (found: FoundLibrary) => T,
): T {
  const candidates = fittingLibraries(search, name, driverMajor);
  const failures: unknown[] = [];
  for (const candidate of candidates) {
    try {
      return open(candidate);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  const newer = search.found[name][0];
  if (newer) throw tooNew(search, name, String(newer.major), driverMajor * 1000);
  throw missingLibrary(search, name, driverMajor);
}

/** The error for a library that is nowhere. */
export function missingLibrary({ searched }: LibrarySearch, name: LibraryName, driverMajor: number): CudaLibraryError {
  const { title, purpose, install } = libraryKinds[name];
  const places = searched.map(({ path }) => path);
  return new CudaLibraryError({
    operation: 'cuda engine: start',
    expected: `the library ${title}, for ${purpose}`,
    received: `none in ${places.join(', ')}`,
    remedy: `Install ${install(driverMajor)}; or set OCELLI_CUDA_LIBRARIES to its folder`,
    library: title,
    searched: places,
  });
}

function tooNew(search: LibrarySearch, name: LibraryName, version: string, driverVersion: number): CudaLibraryError {
  const { title, install } = libraryKinds[name];
  const major = Math.floor(driverVersion / 1000);
  return new CudaLibraryError({
    operation: 'cuda engine: start',
    expected: `${title} for CUDA ${major} or older, which is what the driver supports`,
    received: `${title} ${version} in ${search.found[name][0]?.path}`,
    remedy: `Update the driver, or install ${install(major)}`,
    library: title,
    searched: search.searched.map(({ path }) => path),
  });
}

/** `13.0` for 13000. */
export function formatCudaVersion(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}
