import { type AnyTypedArray, allocate, byteSize, type DType, viewAs } from '../../../../src/dtype.js';
import type { Lowered, Role, Stored } from '../../../../src/engine/cuda/codegen/lowered.js';
import { preludeSource } from '../../../../src/engine/cuda/codegen/prelude.js';
import { sizeOf } from '../../../../src/graph/shape.js';
import type { HostTensor } from '../../../support/host-tensor.js';
import type { Kernels, TestDevice } from '../software-device/test-device.js';

/** What a run of launches leaves. */
export interface Ran {
  readonly outputs: readonly HostTensor[];
  /** The four words of failure. */
  readonly failure: Int32Array;
}

/** One way in which launches are tried. */
export interface Trial {
  readonly lowered: Lowered;
  readonly inputs: readonly HostTensor[];
  readonly outputs: readonly Stored[];
  /** What the first output holds before; without it, all outputs and temporaries are bytes of 0xff. */
  readonly before?: HostTensor;
}

/** The orders in which threads and blocks take their turns. */
export const threadOrders = [0, 1, 7] as const;

/** Compiles all kernels of many launches as one program. */
export function loadKernels(device: TestDevice, lowered: readonly Lowered[]): Kernels {
  const sources = new Map(
    lowered.flatMap(({ launches }) => launches.map(({ kernel }) => [kernel.name, kernel.source] as const)),
  );
  return device.load([preludeSource, ...sources.values()].join('\n'));
}

/** Runs launches on the software device. */
export function runLowered(device: TestDevice, kernels: Kernels, { lowered, inputs, outputs, before }: Trial): Ran {
  const filled = ({ shape, dtype }: Stored) => new Uint8Array(Math.max(1, sizeOf(shape) * byteSize(dtype))).fill(0xff);
  const addresses = new Map<Role, bigint>();
  inputs.forEach(({ data }, index) => {
    addresses.set(index, device.upload(data.byteLength > 0 ? data : new Uint8Array(1)));
  });
  outputs.forEach((each, index) => {
    const data = index === 0 && before ? before.data : filled(each);
    addresses.set(index === 0 ? 'out' : `out${index}`, device.upload(data));
  });
  lowered.temporaries.forEach((each, index) => {
    addresses.set(`temporary${index}`, device.upload(filled(each)));
  });
  const failure = device.upload(new Int32Array(4));
  addresses.set('failure', failure);
  for (const { kernel, grid, block, sharedBytes, roles } of lowered.launches) {
    const pointers = roles.map((role) => {
      const address = addresses.get(role);
      if (address === undefined) throw new RangeError(`${kernel.name} takes ${role}, which there is not`);
      return address;
    });
    if (sharedBytes > 49_152) {
      const signature = 'uint64_t kernel, int attribute, int value';
      device.call('cuFuncSetAttribute', signature, kernels.function(kernel.name), 8, sharedBytes);
    }
    kernels.launch(kernel.name, pointers, { grid, block, shared: sharedBytes });
  }
  return {
    outputs: outputs.map(({ shape, dtype }, index) => ({
      shape,
      dtype,
      data: download(device, addresses.get(index === 0 ? 'out' : `out${index}`)!, dtype, sizeOf(shape)),
    })),
    failure: download(device, failure, 'int32', 4) as Int32Array,
  };
}

function download(device: TestDevice, address: bigint, dtype: DType, count: number): AnyTypedArray {
  if (count === 0) return allocate(dtype, 0);
  return viewAs(dtype, new Uint8Array(device.download(address, count * byteSize(dtype))).buffer, 0, count);
}
