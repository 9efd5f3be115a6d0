import type { FoundLibrary } from './find-libraries.js';
import type { Native, NativeFunction } from './native.js';

/** The driver's functions by their names without `cu`, in the versions that this engine calls. */
export type DriverFunctions = ReturnType<typeof loadDriverFunctions>;

/** @throws CudaLibraryError if the library lacks one. */
export function loadDriverFunctions(native: Native, found: FoundLibrary) {
  const library = native.load(found);
  const pointer = 'uint64';
  const size = 'uint64';
  return {
    getErrorName: library.func('cuGetErrorName', ['int', pointer]),
    getErrorString: library.func('cuGetErrorString', ['int', pointer]),
    init: library.func('cuInit', ['uint32']),
    driverGetVersion: library.func('cuDriverGetVersion', [pointer]),
    deviceGetCount: library.func('cuDeviceGetCount', [pointer]),
    deviceGet: library.func('cuDeviceGet', [pointer, 'int']),
    deviceGetName: library.func('cuDeviceGetName', [pointer, 'int', 'int']),
    deviceGetAttribute: library.func('cuDeviceGetAttribute', [pointer, 'int', 'int']),
    deviceTotalMem: library.func('cuDeviceTotalMem_v2', [pointer, 'int']),
    primaryCtxRetain: library.func('cuDevicePrimaryCtxRetain', [pointer, 'int']),
    primaryCtxRelease: library.func('cuDevicePrimaryCtxRelease_v2', ['int']),
    ctxSetCurrent: library.func('cuCtxSetCurrent', [pointer]),
    memGetInfo: library.func('cuMemGetInfo_v2', [pointer, pointer]),
    memAlloc: library.func('cuMemAlloc_v2', [pointer, size]),
    memFree: library.func('cuMemFree_v2', [pointer]),
    memHostAlloc: library.func('cuMemHostAlloc', [pointer, size, 'uint32']),
    memFreeHost: library.func('cuMemFreeHost', [pointer]),
    memcpyHtoDAsync: library.func('cuMemcpyHtoDAsync_v2', [pointer, pointer, size, pointer]),
    memcpyDtoHAsync: library.func('cuMemcpyDtoHAsync_v2', [pointer, pointer, size, pointer]),
    memcpyDtoDAsync: library.func('cuMemcpyDtoDAsync_v2', [pointer, pointer, size, pointer]),
    memsetD8Async: library.func('cuMemsetD8Async', [pointer, 'uint8', size, pointer]),
    streamCreate: library.func('cuStreamCreate', [pointer, 'uint32']),
    streamDestroy: library.func('cuStreamDestroy_v2', [pointer]),
    streamSynchronize: library.func('cuStreamSynchronize', [pointer]),
    streamWaitEvent: library.func('cuStreamWaitEvent', [pointer, pointer, 'uint32']),
    streamBeginCapture: library.func('cuStreamBeginCapture_v2', [pointer, 'int']),
    streamEndCapture: library.func('cuStreamEndCapture', [pointer, pointer]),
    eventCreate: library.func('cuEventCreate', [pointer, 'uint32']),
    eventDestroy: library.func('cuEventDestroy_v2', [pointer]),
    eventRecord: library.func('cuEventRecord', [pointer, pointer]),
    eventQuery: library.func('cuEventQuery', [pointer]),
    eventSynchronize: library.func('cuEventSynchronize', [pointer]),
    moduleLoadData: library.func('cuModuleLoadData', [pointer, 'void *']),
    moduleUnload: library.func('cuModuleUnload', [pointer]),
    moduleGetFunction: library.func('cuModuleGetFunction', [pointer, pointer, 'str']),
    funcSetAttribute: library.func('cuFuncSetAttribute', [pointer, 'int', 'int']),
    launchKernel: library.func('cuLaunchKernel', [
      pointer,
      ...Array.from({ length: 7 }, () => 'uint32'),
      pointer,
      pointer,
      pointer,
    ]),
    graphInstantiate: library.func('cuGraphInstantiateWithFlags', [pointer, pointer, 'uint64']),
    graphLaunch: library.func('cuGraphLaunch', [pointer, pointer]),
    graphExecDestroy: library.func('cuGraphExecDestroy', [pointer]),
    graphDestroy: library.func('cuGraphDestroy', [pointer]),
  } as const satisfies Readonly<Record<string, NativeFunction>>;
}
