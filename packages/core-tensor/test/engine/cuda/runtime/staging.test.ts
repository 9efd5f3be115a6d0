import { describe, expect, test } from 'vitest';
import type { Driver } from '../../../../src/engine/cuda/libraries/driver.js';
import type { Native } from '../../../../src/engine/cuda/libraries/native.js';
import { createStaging } from '../../../../src/engine/cuda/runtime/staging.js';
import type { Timeline } from '../../../../src/engine/cuda/runtime/timeline.js';

/** A card that copies only when it is waited for. */
function lateCard() {
  const host = new Uint8Array(1 << 16);
  const card = new Uint8Array(1 << 16);
  const copies: (() => void)[] = [];
  let [allocated, done, waits] = [0, 0, 0];
  const driver = {
    allocateHost(bytes: number) {
      allocated += bytes;
      return allocated - bytes;
    },
    copyToDevice: (to: number, from: number, bytes: number) =>
      copies.push(() => card.set(host.subarray(from, from + bytes), to)),
    freeHost: () => undefined,
  } as unknown as Driver;
  const native = { view: (address: number, bytes: number) => host.subarray(address, address + bytes) } as Native;
  const timeline = {
    stream: 0,
    touch: () => undefined,
    mark: () => copies.length,
    block(ticket: number) {
      if (ticket > done) waits++;
      for (; done < ticket; done++) copies[done]!();
    },
  } as unknown as Timeline;
  return {
    card,
    surroundings: { driver, native, timeline },
    finish: () => timeline.block(copies.length),
    facts: () => ({ allocated, waits }),
  };
}

describe('staged uploads', () => {
  test('arrive whole, in parts where they are larger than a segment, whatever the caller does with the bytes', () => {
    const { card, surroundings, finish } = lateCard();
    const staging = createStaging(surroundings, 1024, 2);
    const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 31) % 251);
    const before = bytes.slice();
    staging.upload(bytes, 100);
    bytes.fill(0);
    finish();
    expect(card.subarray(100, 10_100)).toEqual(before);
    expect(card[99]).toBe(0);
    expect(card[10_100]).toBe(0);
  });

  test('wait only for memory that the card has still to read', () => {
    const { card, surroundings, finish, facts } = lateCard();
    const staging = createStaging(surroundings, 1024, 4);
    for (let i = 0; i < 16; i++) staging.upload(Uint8Array.of(i + 1), i);
    expect(facts()).toEqual({ allocated: 4096, waits: 0 });
    for (let i = 16; i < 40; i++) staging.upload(Uint8Array.of(i + 1), i);
    expect(facts().waits).toBe(6);
    expect(facts().allocated).toBe(4096);
    finish();
    expect([...card.subarray(0, 40)]).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });
});
