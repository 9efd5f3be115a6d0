import { CudaError } from './cuda-error.js';
import type { FoundLibrary } from './find-libraries.js';
import { type Address, type Native, readAddress } from './native.js';

/** The run-time compiler, as far as the engine uses it. */
export type Nvrtc = ReturnType<typeof bindNvrtc>;

/** Functions of NVRTC that a library holds. @throws CudaLibraryError if it lacks one. */
export function bindNvrtc(native: Native, found: FoundLibrary) {
  const library = native.load(found);
  const nvrtc = {
    version: library.func('nvrtcVersion', ['uint64', 'uint64']),
    getErrorString: library.optional('nvrtcGetErrorString', ['int'], 'uint64'),
    getNumSupportedArchs: library.func('nvrtcGetNumSupportedArchs', ['uint64']),
    getSupportedArchs: library.func('nvrtcGetSupportedArchs', ['uint64']),
    createProgram: library.func('nvrtcCreateProgram', ['uint64', 'str', 'str', 'int', 'uint64', 'uint64']),
    compileProgram: library.func('nvrtcCompileProgram', ['uint64', 'int', 'const char **']),
    destroyProgram: library.func('nvrtcDestroyProgram', ['uint64']),
    getLogSize: library.func('nvrtcGetProgramLogSize', ['uint64', 'uint64']),
    getLog: library.func('nvrtcGetProgramLog', ['uint64', 'void *']),
    getCubinSize: library.func('nvrtcGetCUBINSize', ['uint64', 'uint64']),
    getCubin: library.func('nvrtcGetCUBIN', ['uint64', 'void *']),
    getPtxSize: library.func('nvrtcGetPTXSize', ['uint64', 'uint64']),
    getPtx: library.func('nvrtcGetPTX', ['uint64', 'void *']),
  };
  const scratch = native.allocate(1024);
  const place = scratch.address;
  const check = (code: number, call: string, details: { readonly expected?: string; readonly log?: string } = {}) => {
    if (code === 0) return;
    const text = nvrtc.getErrorString?.(code);
    const codeName = text ? native.text(text) : `error ${code}`;
    throw new CudaError({
      operation: 'cuda engine: compile kernels',
      expected: details.expected ?? `${call} to succeed`,
      received: details.log ? `${codeName}:\n${details.log}` : codeName,
      call,
      code,
      codeName,
    });
  };
  const bytesOf = (size: () => number, sizeCall: string, read: (into: Uint8Array) => number, call: string) => {
    check(size(), sizeCall);
    const bytes = new Uint8Array(readAddress(scratch.view, 0));
    check(read(bytes), call);
    return bytes;
  };
  const logOf = (program: Address): string => {
    const size = () => nvrtc.getLogSize(program, place);
    const bytes = bytesOf(size, 'nvrtcGetProgramLogSize', (into) => nvrtc.getLog(program, into), 'nvrtcGetProgramLog');
    return new TextDecoder().decode(bytes).replace(/\0+$/, '').trim();
  };

  return {
    version(): readonly [major: number, minor: number] {
      check(nvrtc.version(place, place + 4), 'nvrtcVersion');
      return [scratch.view.getInt32(0, true), scratch.view.getInt32(4, true)];
    },
    /** Architectures that it compiles for, as 90 for 9.0, in ascending order. */
    architectures(): number[] {
      check(nvrtc.getNumSupportedArchs(place), 'nvrtcGetNumSupportedArchs');
      const count = Math.min(scratch.view.getInt32(0, true), scratch.bytes.length / 4);
      check(nvrtc.getSupportedArchs(place), 'nvrtcGetSupportedArchs');
      return Array.from({ length: count }, (_, i) => scratch.view.getInt32(4 * i, true)).sort((a, b) => a - b);
    },
    /**
     * Compiles a text in another thread.
     *
     * @param form `cubin`: code of one architecture; `ptx`: a portable form, from which the driver makes code.
     * @returns what the driver loads.
     * @throws CudaError with the compiler's messages.
     */
    async compile(text: string, options: readonly string[], form: 'cubin' | 'ptx'): Promise<Uint8Array> {
      check(nvrtc.createProgram(place, text, 'ocelli.cu', 0, 0, 0), 'nvrtcCreateProgram');
      const program = readAddress(scratch.view, 0);
      try {
        const code = await native.inThread(nvrtc.compileProgram, program, options.length, options);
        if (code !== 0) {
          check(code, 'nvrtcCompileProgram', { expected: 'kernels that compile', log: logOf(program) });
        }
        return form === 'cubin'
          ? bytesOf(
              () => nvrtc.getCubinSize(program, place),
              'nvrtcGetCUBINSize',
              (into) => nvrtc.getCubin(program, into),
              'nvrtcGetCUBIN',
            )
          : bytesOf(
              () => nvrtc.getPtxSize(program, place),
              'nvrtcGetPTXSize',
              (into) => nvrtc.getPtx(program, into),
              'nvrtcGetPTX',
            );
      } finally {
        scratch.view.setBigUint64(0, BigInt(program), true);
        nvrtc.destroyProgram(place);
      }
    },
  };
}
