/** Options of the `cuda` engine. */
export interface CudaOptions {
  /** Which card, by its number in NVIDIA's order; `CUDA_VISIBLE_DEVICES` renumbers them. Default: 0. */
  readonly device?: number;
  /**
   * How products and what lies between them are computed. `float32`: as on every other engine. `tf32`: products of
   * float32 with the 10 bits of mantissa that tensor cores take. `bfloat16`: intermediate values in 16 bits, sums in
   * float32; parameters, gradients and results stay as they are. Default: `float32`.
   */
  readonly precision?: 'float32' | 'tf32' | 'bfloat16';
  /**
   * What multiplies matrices: NVIDIA's cuBLASLt, or kernels of this package, which need no library and are slower.
   * Default: `cublasLt`.
   */
  readonly products?: 'cublasLt' | 'own';
  /**
   * Folder that keeps compiled kernels between processes, `false` for none. Default: `cuda` in `OCELLI_CACHE`, else in
   * `ocelli` in the user's cache folder.
   */
  readonly kernelCache?: string | false;
  /** Whether a program that comes again with the same memory is replayed as one CUDA graph. Default: true. */
  readonly graphs?: boolean;
  /** Bytes of the card that the engine takes at most. Default: all that is free. */
  readonly memoryLimit?: number;
}
