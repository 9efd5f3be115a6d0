import { byteSize } from '../../../dtype.js';
import { sizeOf } from '../../../graph/shape.js';
import type { Address } from '../libraries/native.js';
import type { Block } from './allocator.js';
import { describe, type Stored, type ValueType } from './buffers.js';
import type { Device } from './device.js';
import type { DoubtfulRun } from './failure-log.js';
import type { Copy, PreparedProgram } from './prepared-program.js';

/**
 * Puts a program on the card.
 *
 * @param targets where results are to be written; the others get memory of their own.
 * @returns that memory; undefined for results that have a target.
 */
export function runProgram(
  { allocator, failures }: Pick<Device, 'allocator' | 'failures'>,
  program: PreparedProgram,
  sources: readonly Stored[],
  targets: readonly (Stored | undefined)[],
  types: readonly ValueType[],
): (Stored | undefined)[] {
  const temporary: Block[] = [];
  const taken: Block[] = [];
  try {
    const inputs = sources.map(({ block }) => block.address);
    const fresh = types.map((type, index) => {
      if (targets[index]) return undefined;
      const bytes = sizeOf(type.shape) * byteSize(type.dtype);
      const block = allocator.take(`run a program with a result of ${describe(type)}`, bytes);
      taken.push(block);
      return { block, bytes };
    });
    const copies: Copy[] = [];
    const readers = targets.some((target) => target) ? positionsOf(inputs) : new Map<Address, number[]>();
    const outputs = types.map((_, index): Address => {
      const target = targets[index];
      if (!target) return fresh[index]!.block.address;
      const { address } = target.block;
      if (readers.get(address)?.every((input) => program.aliases.mayShare(input, index)) ?? true) return address;
      // The argument is still needed when its successor is being computed.
      const aside = allocator.take('run a program that writes over an argument', target.bytes);
      temporary.push(aside);
      copies.push({ from: aside.address, to: address, bytes: target.bytes });
      return aside.address;
    });
    program.results.forEach(({ isOwn, bytes }, index) => {
      if (isOwn) return;
      copies.unshift({ from: program.addressOf(index, inputs, outputs), to: outputs[index]!, bytes });
    });
    program.submit(inputs, outputs, copies);
    const doubts = inheritedDoubts(sources);
    if (program.mayFail) doubts.push(failures.record());
    return fresh.map((each) => each && { ...each, uploaded: 0, doubts });
  } catch (error) {
    for (const block of taken) allocator.give(block);
    throw error;
  } finally {
    for (const block of temporary) allocator.give(block);
  }
}

/** Runs that arguments come from and of which nothing is known yet. */
function inheritedDoubts(sources: readonly Stored[]): DoubtfulRun[] {
  const found = new Set<DoubtfulRun>();
  for (const { doubts } of sources) for (const doubt of doubts) if (!doubt.isSettled) found.add(doubt);
  return [...found];
}

/** At which places of a list each of its entries is. */
function positionsOf(addresses: readonly Address[]): Map<Address, number[]> {
  const positions = new Map<Address, number[]>();
  addresses.forEach((address, position) => {
    const known = positions.get(address);
    if (known) known.push(position);
    else positions.set(address, [position]);
  });
  return positions;
}
