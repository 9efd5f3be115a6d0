import { describe, expect, test } from 'vitest';
import type { Driver } from '../../../../src/engine/cuda/libraries/driver.js';
import { createTimeline } from '../../../../src/engine/cuda/runtime/timeline.js';

/** A card whose streams go on when they are told to. */
function card() {
  const events = new Map<number, { stream: number; at: number }>();
  const queued = new Map<number, number>();
  const done = new Map<number, number>();
  const waits: [stream: number, event: number][] = [];
  let next = 1;
  const driver = {
    createStream: () => next++,
    destroyStream: () => undefined,
    createEvent: () => next++,
    destroyEvent: (event: number) => events.delete(event),
    record: (event: number, stream: number) => events.set(event, { stream, at: queued.get(stream) ?? 0 }),
    isReached: (event: number) => (done.get(events.get(event)!.stream) ?? 0) >= events.get(event)!.at,
    waitFor: (event: number) => done.set(events.get(event)!.stream, events.get(event)!.at),
    waitInStream: (stream: number, event: number) => waits.push([stream, event]),
  } as unknown as Driver;
  return {
    driver,
    events,
    waits,
    put: (stream: number) => queued.set(stream, (queued.get(stream) ?? 0) + 1),
    finish: (stream: number, count: number) => done.set(stream, (done.get(stream) ?? 0) + count),
  };
}

describe('a timeline', () => {
  test('knows how far the card is, with one event for all that was put there in between', () => {
    const { driver, events, put, finish } = card();
    const timeline = createTimeline(driver);
    const work = () => {
      put(timeline.stream);
      timeline.touch();
      return timeline.ticket();
    };
    expect(timeline.isDone(timeline.ticket())).toBe(true);
    const [first, second] = [work(), work()];
    expect(first).toBe(second);
    expect(timeline.isDone(second)).toBe(false);
    const third = work();
    expect(third).toBeGreaterThan(second);
    expect(timeline.isDone(third)).toBe(false);
    expect(events.size).toBe(2);
    finish(timeline.stream, 2);
    expect([timeline.isDone(second), timeline.isDone(third)]).toEqual([true, false]);
    finish(timeline.stream, 1);
    expect(timeline.isDone(third)).toBe(true);
    const fourth = work();
    expect(timeline.isDone(fourth)).toBe(false);
    expect(events.size).toBe(2);
    timeline.close();
    expect(events.size).toBe(0);
  });

  test('tells what it marks from what comes later', () => {
    const { driver, put, finish } = card();
    const timeline = createTimeline(driver);
    const work = () => {
      put(timeline.stream);
      timeline.touch();
    };
    work();
    const first = timeline.mark();
    expect(timeline.mark()).toBe(first);
    work();
    expect(timeline.mark()).toBe(first + 1);
    finish(timeline.stream, 1);
    expect([timeline.isDone(first), timeline.isDone(first + 1)]).toEqual([true, false]);
  });

  test('waits with and without holding up the program', async () => {
    const { driver, put, finish } = card();
    const timeline = createTimeline(driver);
    put(timeline.stream);
    timeline.touch();
    timeline.block(timeline.ticket());
    expect(timeline.isDone(timeline.ticket())).toBe(true);
    put(timeline.stream);
    timeline.touch();
    let isOver = false;
    const waiting = timeline.wait(timeline.ticket()).then(() => {
      isOver = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isOver).toBe(false);
    finish(timeline.stream, 1);
    await waiting;
    expect(isOver).toBe(true);
  });

  test('holds another stream back until it has come somewhere, unless it has', () => {
    const { driver, events, waits, put, finish } = card();
    const [first, second] = [createTimeline(driver), createTimeline(driver)];
    put(first.stream);
    first.touch();
    const ticket = first.ticket();
    const before = second.ticket();
    first.holdBack(second, ticket);
    expect(waits).toEqual([[second.stream, [...events.keys()][0]]]);
    expect(second.ticket()).toBeGreaterThan(before);
    finish(first.stream, 1);
    first.holdBack(second, ticket);
    expect(waits).toHaveLength(1);
  });
});
