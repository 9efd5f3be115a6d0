import type { Address, HostMemory, Native } from '../libraries/native.js';

/** Arguments of all launches of a program, in memory of their own: addresses of the values, and where those stand. */
export interface LaunchArguments {
  /** What the driver is given for launch `index`. */
  readonly pointersOf: (index: number) => Address;
  /** Writes the arguments of all launches. */
  fill(addresses: Float64Array): void;
  free(): void;
}

/**
 * @param launches for each launch the places of its arguments in the table that `fill` is given.
 */
export function createLaunchArguments(native: Native, launches: readonly (readonly number[])[]): LaunchArguments {
  const starts: number[] = [];
  let count = 0;
  for (const places of launches) {
    starts.push(count);
    count += places.length;
  }
  const places = Int32Array.from(launches.flat());
  const memory: HostMemory = native.allocate(Math.max(16, count * 16));
  const pointerStart = count * 8;
  const words = new Uint32Array(memory.bytes.buffer, memory.bytes.byteOffset, count * 4);
  // First the values, then for each the address where it stands.
  for (let i = 0; i < count; i++) put(words, count + i, memory.address + i * 8);
  return {
    pointersOf: (index) => memory.address + pointerStart + starts[index]! * 8,
    fill(addresses) {
      for (let i = 0; i < places.length; i++) put(words, i, addresses[places[i]!]!);
    },
    free: () => memory.free(),
  };
}

function put(words: Uint32Array, index: number, address: Address): void {
  words[2 * index] = address % 2 ** 32;
  words[2 * index + 1] = Math.floor(address / 2 ** 32);
}
