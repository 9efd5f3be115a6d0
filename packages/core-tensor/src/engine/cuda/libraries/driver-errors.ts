import { CudaError } from './cuda-error.js';
import type { DriverFunctions } from './driver-functions.js';
import { type HostMemory, type Native, type NativeFunction, readAddress } from './native.js';

/** Failures after which nothing can be done on the card in this process. */
const fatalCodes: ReadonlySet<number> = new Set([
  4, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 999,
]);

/** Whether an error means that the card, or what the process has there, is lost. */
export function isFatal(error: unknown): boolean {
  return error instanceof CudaError && error.call?.startsWith('cu') === true && fatalCodes.has(error.code ?? 0);
}

/** The error for a call that failed, in the driver's own words. */
export function driverError(
  native: Native,
  { getErrorName, getErrorString }: Pick<DriverFunctions, 'getErrorName' | 'getErrorString'>,
  scratch: HostMemory,
  { code, call, operation }: { readonly code: number; readonly call: string; readonly operation: string },
): CudaError {
  const textOf = (get: NativeFunction): string | undefined => {
    if (get(code, scratch.address) !== 0) return undefined;
    const address = readAddress(scratch.view, 0);
    return address === 0 ? undefined : native.text(address);
  };
  const codeName = textOf(getErrorName) ?? `error ${code}`;
  return new CudaError({
    operation: `cuda engine: ${operation}`,
    expected: `${call} to succeed`,
    received: `${codeName} (${code}: ${textOf(getErrorString) ?? 'unknown to this driver'})`,
    remedy: remedyFor(code),
    call,
    code,
    codeName,
  });
}

function remedyFor(code: number): string | undefined {
  if (fatalCodes.has(code))
    return 'What this process had on the card is lost. Start it again, from the last checkpoint.';
  switch (code) {
    case 2:
      return 'Other programs use the card too: nvidia-smi names them.';
    case 46:
      return 'Another process has the card for itself: nvidia-smi names it and the mode of the card.';
    case 100:
      return 'nvidia-smi lists the cards; CUDA_VISIBLE_DEVICES may hide them, and a container needs --gpus all. Without a card use useEngine("ort").';
    case 3:
    case 802:
    case 803:
    case 804:
      return 'The driver was updated, is still starting, or does not fit its kernel module: restart the machine.';
    default:
      return undefined;
  }
}
