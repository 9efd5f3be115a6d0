import { CudaError } from './cuda-error.js';
import type { FoundLibrary } from './find-libraries.js';
import { type Address, type HostMemory, type Native, readAddress, writeAddress } from './native.js';

/** `cublasLtMatmulDescAttributes_t`. */
const descriptor = { transposeA: 3, transposeB: 4, epilogue: 7, biasPointer: 8, biasType: 26 } as const;
/** `cublasLtMatrixLayoutAttribute_t`. */
const layout = { batchCount: 5, batchStride: 6 } as const;
/** `cublasLtMatmulPreferenceAttributes_t`; alignments of A, B, C and D follow each other. */
const preference = { workspaceBytes: 1, firstAlignment: 5 } as const;

/** `cublasComputeType_t`. */
export const computeTypes = { float32: 68, tf32: 77 } as const;
/** `cudaDataType_t`. */
export const dataTypes = { float32: 0, float16: 2, bfloat16: 14 } as const;
/** `cublasLtEpilogue_t`; an epilogue is their sum, where none is 1. */
export const epilogues = { none: 1, relu: 2, bias: 4, gelu: 32 } as const;

/** A matrix as cuBLASLt sees it, by columns. */
export interface MatrixLayout {
  readonly type: number;
  readonly rows: number;
  readonly columns: number;
  /** Elements from a column to the next. */
  readonly leading: number;
  readonly batch: number;
  readonly batchStride: number;
  /** Of its address, in bytes. */
  readonly alignment: number;
}

/** D = epilogue(alpha · op(A) · op(B) + beta · C). */
export interface ProductKind {
  readonly computeType: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly a: MatrixLayout;
  readonly b: MatrixLayout;
  readonly c: MatrixLayout;
  readonly d: MatrixLayout;
  readonly epilogue: number;
  readonly biasType: number | undefined;
}

/** A kind of product with the algorithm that computes it. */
export interface PreparedProduct {
  readonly operation: Address;
  readonly layouts: readonly [a: Address, b: Address, c: Address, d: Address];
  readonly algorithm: HostMemory;
  readonly workspaceBytes: number;
}

/** Where the operands of a product are. */
export interface ProductPointers {
  readonly a: Address;
  readonly b: Address;
  readonly c: Address;
  readonly d: Address;
  readonly bias: Address | undefined;
}

/** cuBLASLt, as far as the engine uses it. */
export type CublasLt = ReturnType<typeof bindCublasLt>;

/** Bytes of `cublasLtMatmulAlgo_t`, and of a result of the search for one. */
const [algorithmBytes, resultBytes] = [64, 96];
const notSupported = 15;

/** Functions of cuBLASLt that a library holds. @throws CudaLibraryError if it lacks one. */
export function bindCublasLt(native: Native, found: FoundLibrary) {
  const library = native.load(found);
  const address = 'uint64';
  const attribute = [address, 'int', address, 'uint64'];
  const lt = {
    getVersion: library.optional('cublasLtGetVersion', [], 'uint64'),
    getStatusName: library.optional('cublasLtGetStatusName', ['int'], 'uint64'),
    getStatusString: library.optional('cublasLtGetStatusString', ['int'], 'uint64'),
    create: library.func('cublasLtCreate', [address]),
    destroy: library.func('cublasLtDestroy', [address]),
    descCreate: library.func('cublasLtMatmulDescCreate', [address, 'int', 'int']),
    descDestroy: library.func('cublasLtMatmulDescDestroy', [address]),
    descSet: library.func('cublasLtMatmulDescSetAttribute', attribute),
    layoutCreate: library.func('cublasLtMatrixLayoutCreate', [address, 'int', 'uint64', 'uint64', 'int64']),
    layoutDestroy: library.func('cublasLtMatrixLayoutDestroy', [address]),
    layoutSet: library.func('cublasLtMatrixLayoutSetAttribute', attribute),
    preferenceCreate: library.func('cublasLtMatmulPreferenceCreate', [address]),
    preferenceDestroy: library.func('cublasLtMatmulPreferenceDestroy', [address]),
    preferenceSet: library.func('cublasLtMatmulPreferenceSetAttribute', attribute),
    heuristic: library.func('cublasLtMatmulAlgoGetHeuristic', [
      ...Array.from({ length: 7 }, () => address),
      'int',
      address,
      address,
    ]),
    matmul: library.func('cublasLtMatmul', [...Array.from({ length: 13 }, () => address), address, 'uint64', address]),
  };
  /** Bytes 0-7: results; 8-15: attributes; 16-23: alpha and beta; from 64: a found algorithm. */
  const scratch = native.allocate(64 + resultBytes);
  const { view, address: place } = scratch;
  const textOf = (get: typeof lt.getStatusName, code: number): string | undefined => {
    const text = get?.(code);
    return text ? native.text(text) : undefined;
  };
  const check = (code: number, call: string, operation: string) => {
    if (code === 0) return;
    const codeName = textOf(lt.getStatusName, code) ?? `status ${code}`;
    throw new CudaError({
      operation: `cuda engine: ${operation}`,
      expected: `${call} to succeed`,
      received: `${codeName} (${code}: ${textOf(lt.getStatusString, code) ?? 'not described'})`,
      call,
      code,
      codeName,
    });
  };
  const created = (code: number, call: string, operation: string): Address => {
    check(code, call, operation);
    return readAddress(view, 0);
  };
  const set = (function_: typeof lt.descSet, object: Address, name: number, value: number, bytes: 4 | 8) => {
    writeAddress(view, 8, value);
    check(function_(object, name, place + 8, bytes), 'cublasLt…SetAttribute', `describe a product (attribute ${name})`);
  };

  const createLayout = ({ type, rows, columns, leading, batch, batchStride }: MatrixLayout): Address => {
    const call = 'cublasLtMatrixLayoutCreate';
    const operation = `describe a matrix of ${rows} rows and ${columns} columns, ${leading} apart`;
    const matrix = created(lt.layoutCreate(place, type, rows, columns, leading), call, operation);
    if (batch > 1) {
      set(lt.layoutSet, matrix, layout.batchCount, batch, 4);
      set(lt.layoutSet, matrix, layout.batchStride, batchStride, 8);
    }
    return matrix;
  };

  return {
    /** Such as 120804 for 12.8.4. */
    version(): number | undefined {
      return lt.getVersion?.();
    },
    create(): Address {
      return created(lt.create(place), 'cublasLtCreate', 'start cuBLASLt');
    },
    destroy(handle: Address): void {
      check(lt.destroy(handle), 'cublasLtDestroy', 'stop cuBLASLt');
    },
    /** The product with the algorithm that cuBLASLt's heuristic puts first; undefined where it knows none. */
    prepare(handle: Address, kind: ProductKind, workspaceBytes: number): PreparedProduct | undefined {
      const operation = created(
        lt.descCreate(place, kind.computeType, dataTypes.float32),
        'cublasLtMatmulDescCreate',
        'describe a product',
      );
      if (kind.transposeA) set(lt.descSet, operation, descriptor.transposeA, 1, 4);
      if (kind.transposeB) set(lt.descSet, operation, descriptor.transposeB, 1, 4);
      set(lt.descSet, operation, descriptor.epilogue, kind.epilogue, 4);
      if (kind.biasType !== undefined) set(lt.descSet, operation, descriptor.biasType, kind.biasType, 4);
      const matrices = [kind.a, kind.b, kind.c, kind.d];
      const layouts = matrices.map(createLayout) as unknown as PreparedProduct['layouts'];
      const choice = created(lt.preferenceCreate(place), 'cublasLtMatmulPreferenceCreate', 'choose an algorithm');
      set(lt.preferenceSet, choice, preference.workspaceBytes, workspaceBytes, 8);
      matrices.forEach(({ alignment }, i) => {
        set(lt.preferenceSet, choice, preference.firstAlignment + i, alignment, 4);
      });
      const code = lt.heuristic(handle, operation, ...layouts, choice, 1, place + 64, place);
      const count = code === 0 ? view.getInt32(0, true) : 0;
      lt.preferenceDestroy(choice);
      const state = view.getInt32(64 + algorithmBytes + 8, true);
      if (code === 0 && count > 0 && state === 0) {
        const algorithm = native.allocate(algorithmBytes);
        algorithm.bytes.set(scratch.bytes.subarray(64, 64 + algorithmBytes));
        return { operation, layouts, algorithm, workspaceBytes: readAddress(view, 64 + algorithmBytes) };
      }
      lt.descDestroy(operation);
      for (const each of layouts) lt.layoutDestroy(each);
      if (code !== 0 && code !== notSupported) check(code, 'cublasLtMatmulAlgoGetHeuristic', 'choose an algorithm');
      return undefined;
    },
    release({ operation, layouts, algorithm }: PreparedProduct): void {
      lt.descDestroy(operation);
      for (const each of layouts) lt.layoutDestroy(each);
      algorithm.free();
    },
    run(
      handle: Address,
      { operation, layouts, algorithm, workspaceBytes }: PreparedProduct,
      { a, b, c, d, bias }: ProductPointers,
      {
        alpha,
        beta,
        workspace,
        stream,
      }: {
        readonly alpha: number;
        readonly beta: number;
        readonly workspace: Address;
        readonly stream: Address;
      },
    ): void {
      if (bias !== undefined) set(lt.descSet, operation, descriptor.biasPointer, bias, 8);
      view.setFloat32(16, alpha, true);
      view.setFloat32(20, beta, true);
      const [layoutA, layoutB, layoutC, layoutD] = layouts;
      const code = lt.matmul(
        handle,
        operation,
        place + 16,
        a,
        layoutA,
        b,
        layoutB,
        place + 20,
        c,
        layoutC,
        d,
        layoutD,
        algorithm.address,
        workspaceBytes > 0 ? workspace : 0,
        workspaceBytes,
        stream,
      );
      check(code, 'cublasLtMatmul', 'multiply matrices');
    },
  };
}
