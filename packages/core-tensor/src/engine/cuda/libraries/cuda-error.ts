import { EngineError, type ErrorDetails } from '../../../errors.js';
import { inMebibytes } from './sizes.js';

/** {@link ErrorDetails} with the call of one of NVIDIA's libraries that failed. */
export interface CudaErrorDetails extends ErrorDetails {
  /** Function of the library, such as `cuLaunchKernel`. */
  readonly call?: string | undefined;
  /** What it returned. */
  readonly code?: number | undefined;
  /** The library's name of that, such as `CUDA_ERROR_INVALID_VALUE`. */
  readonly codeName?: string | undefined;
}

/** A call of one of NVIDIA's libraries that failed. */
export class CudaError extends EngineError {
  override readonly name: string = 'CudaError';
  readonly call: string | undefined;
  readonly code: number | undefined;
  readonly codeName: string | undefined;

  constructor(details: CudaErrorDetails) {
    super(details);
    this.call = details.call;
    this.code = details.code;
    this.codeName = details.codeName;
  }
}

/** What was asked for and what there was when the card's memory ran out, in bytes. */
export interface CudaMemoryErrorDetails {
  readonly operation: string;
  readonly requested: number;
  readonly free: number;
  readonly total: number;
  /** Taken by this engine: what is alive and what it keeps for later. */
  readonly held: number;
  /** The limit that the caller set, where that is what ran out. */
  readonly limit?: number | undefined;
}

/** The card has not enough memory. */
export class CudaMemoryError extends CudaError {
  override readonly name: string = 'CudaMemoryError';
  readonly requested: number;
  readonly free: number;
  readonly total: number;
  readonly held: number;

  constructor({ operation, requested, free, total, held, limit }: CudaMemoryErrorDetails) {
    const room = `${inMebibytes(free)} free of ${inMebibytes(total)}, of which this engine holds ${inMebibytes(held)}`;
    super({
      operation,
      expected: `${inMebibytes(requested)} of memory on the card`,
      received: limit === undefined ? room : `${room} under a limit of ${inMebibytes(limit)}`,
      remedy:
        'Take a smaller batch, recompute activations with checkpoint, or compute in bfloat16; `ocelli plan` says how much a recipe needs.',
      call: 'cuMemAlloc_v2',
      code: 2,
      codeName: 'CUDA_ERROR_OUT_OF_MEMORY',
    });
    this.requested = requested;
    this.free = free;
    this.total = total;
    this.held = held;
  }
}

/** {@link ErrorDetails} of a library that is not there, with where it was looked for. */
export interface CudaLibraryErrorDetails extends ErrorDetails {
  /** Its name, such as `NVRTC`. */
  readonly library: string;
  readonly searched: readonly string[];
}

/** One of NVIDIA's libraries that is missing, does not load, or does not fit the driver. */
export class CudaLibraryError extends CudaError {
  override readonly name: string = 'CudaLibraryError';
  readonly library: string;
  readonly searched: readonly string[];

  constructor(details: CudaLibraryErrorDetails) {
    super(details);
    this.library = details.library;
    this.searched = details.searched;
  }
}
