export {
  CudaError,
  type CudaErrorDetails,
  CudaLibraryError,
  type CudaLibraryErrorDetails,
  CudaMemoryError,
  type CudaMemoryErrorDetails,
} from './engine/cuda/libraries/cuda-error.js';
export type { DeviceFacts } from './engine/cuda/libraries/driver.js';
export { type FoundLibrary, findCudaLibraries, type LibrarySearch } from './engine/cuda/libraries/find-libraries.js';
export { type CudaReport, inspectCuda, type LibraryReport } from './engine/cuda/libraries/inspect.js';
export { type LibraryName, libraryNames } from './engine/cuda/libraries/library-kinds.js';
export type { SearchFolder, SearchSurroundings } from './engine/cuda/libraries/search-folders.js';
export type { CudaOptions } from './engine/cuda/options.js';
export { type CudaMemory, planCudaMemory } from './engine/cuda/plan-memory.js';
export { kernelCacheFolder } from './engine/cuda/runtime/kernel-cache.js';
export { type CudaMemoryUse, cudaMemory } from './engine/cuda/runtime/memory-report.js';
