import { byteSize } from '../../../dtype.js';
import { productEpilogue } from '../codegen/product-epilogue.js';
import type { KernelStep, MatmulStep, PlannedValue } from '../compiler/program-plan.js';
import type { CublasLt, PreparedProduct } from '../libraries/cublas-lt.js';
import { CudaError } from '../libraries/cuda-error.js';
import type { Address } from '../libraries/native.js';
import type { Block, CachingAllocator } from './allocator.js';
import { type ProductEpilogue, productPlan } from './product-kind.js';
import type { Timeline } from './timeline.js';

/** A product that is ready to run, and what is left to do after it. */
export interface ReadyProduct {
  /** @param addresses of the program's values. */
  run(addresses: Float64Array): void;
  readonly after: KernelStep | undefined;
}

/** Matrix products through cuBLASLt; descriptions and algorithms are shared by all products of a kind. */
export interface Products {
  /** @throws CudaLibraryError without cuBLASLt; CudaError where it has no algorithm. */
  prepare(step: MatmulStep, values: readonly PlannedValue[]): ReadyProduct;
  close(): void;
}

/** What algorithms may use between their steps; NVIDIA's advice for its recent cards. */
export const workspaceBytes = 32 * 2 ** 20;

export function createProducts({
  cublasLt,
  allocator,
  timeline,
  tf32,
}: {
  /** Throws where the library is missing. */
  readonly cublasLt: () => CublasLt;
  readonly allocator: CachingAllocator;
  readonly timeline: Timeline;
  readonly tf32: boolean;
}): Products {
  const known = new Map<string, PreparedProduct | undefined>();
  let state: { readonly lt: CublasLt; readonly handle: Address; readonly workspace: Block } | undefined;

  const start = () => {
    if (state) return state;
    const lt = cublasLt();
    const workspace = allocator.take("take cuBLASLt's workspace", workspaceBytes);
    state = { lt, handle: lt.create(), workspace };
    return state;
  };

  const prepared = (step: MatmulStep, values: readonly PlannedValue[], epilogue: ProductEpilogue) => {
    const { lt, handle } = start();
    const plan = productPlan(step, values, epilogue, { tf32 });
    const key = JSON.stringify(plan.kind);
    if (!known.has(key)) known.set(key, lt.prepare(handle, plan.kind, workspaceBytes));
    const product = known.get(key);
    return product && { product, first: plan.first };
  };

  return {
    prepare(step, values) {
      const { a, b, out, m, n, k, batch, alpha, bias, residual, activation } = step;
      const nothing = { run: () => undefined, after: undefined };
      if (m * n * batch === 0) return nothing;
      if (k === 0) return { ...nothing, after: productEpilogue(step, values, true) };
      // The library adds the residual before the activation, and its bias runs along the rows of what it computes.
      const isInOne = !(activation && residual !== undefined) && !(out.transpose && bias !== undefined);
      const whole = {
        bias: bias !== undefined,
        activation: activation !== undefined,
        residual: residual !== undefined,
      };
      const isPlain = !whole.bias && !whole.activation;
      const inOne = isInOne ? prepared(step, values, whole) : undefined;
      const found = inOne ?? (isPlain ? undefined : prepared(step, values, plain));
      if (!found) throw noAlgorithm(step, values);
      const addsResidual = inOne !== undefined && residual !== undefined;
      const { lt, handle, workspace } = state!;
      const elementBytes = byteSize(values[out.value]!.dtype);
      const [first, second] = found.first === 'a' ? [a, b] : [b, a];
      const firstOffset = first.offset * byteSize(values[first.value]!.dtype);
      const secondOffset = second.offset * byteSize(values[second.value]!.dtype);
      return {
        run(addresses) {
          const d = addresses[out.value]! + out.offset * elementBytes;
          lt.run(
            handle,
            found.product,
            {
              a: addresses[first.value]! + firstOffset,
              b: addresses[second.value]! + secondOffset,
              c: addsResidual ? addresses[residual]! + out.offset * elementBytes : d,
              d,
              bias: inOne && bias !== undefined ? addresses[bias]! : undefined,
            },
            { alpha, beta: addsResidual ? 1 : 0, workspace: workspace.address, stream: timeline.stream },
          );
        },
        after: inOne ? undefined : productEpilogue(step, values, false),
      };
    },
    close() {
      if (!state) return;
      for (const product of known.values()) if (product) state.lt.release(product);
      known.clear();
      state.lt.destroy(state.handle);
      allocator.give(state.workspace);
      state = undefined;
    },
  };
}

const plain: ProductEpilogue = { bias: false, activation: false, residual: false };

function noAlgorithm({ a, b, m, n, k, batch }: MatmulStep, values: readonly PlannedValue[]): CudaError {
  const dtypes = [a, b].map(({ value }) => values[value]!.dtype).join(' and ');
  return new CudaError({
    operation: 'cuda engine: compile a matrix product',
    expected: 'an algorithm of cuBLASLt for it',
    received: `none for ${batch} × [${m}, ${k}] · [${k}, ${n}] of ${dtypes}`,
    remedy: 'A newer cuBLAS may have one.',
    call: 'cublasLtMatmulAlgoGetHeuristic',
  });
}
