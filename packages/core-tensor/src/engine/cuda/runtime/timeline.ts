import type { Driver } from '../libraries/driver.js';
import type { Address } from '../libraries/native.js';

/** For this long a waiting program looks again at every turn of its event loop, then every millisecond. */
const eagerMilliseconds = 5;

/** How much of what was put on a stream the card has done. A ticket stands for all that was put there before. */
export interface Timeline {
  readonly stream: Address;
  /** Notes that something was put on the stream. */
  touch(): void;
  /** Ticket of everything so far; what follows may count to it, until somebody asks for it. */
  ticket(): number;
  /** Ticket of everything so far and nothing later, so that whoever waits for it waits no longer than necessary. */
  mark(): number;
  isDone(ticket: number): boolean;
  /** Resolves when it is done; other work of the program goes on. */
  wait(ticket: number): Promise<void>;
  /** Returns when it is done. */
  block(ticket: number): void;
  /** Makes another stream wait for it, in which this thread does not. */
  holdBack(other: Timeline, ticket: number): void;
  close(): void;
}

/** Creates a stream and what follows it. */
export function createTimeline(driver: Driver): Timeline {
  const stream = driver.createStream();
  /** Events of tickets that are not known to be done, in order. */
  const outstanding: { readonly ticket: number; readonly event: Address }[] = [];
  const spare: Address[] = [];
  let [recorded, done] = [0, 0];
  let isTouched = false;

  /** Puts an event behind everything so far, if that has none. */
  const seal = () => {
    if (!isTouched) return;
    const event = spare.pop() ?? driver.createEvent();
    driver.record(event, stream);
    outstanding.push({ ticket: ++recorded, event });
    isTouched = false;
  };
  const retire = () => {
    const { ticket, event } = outstanding.shift()!;
    done = ticket;
    spare.push(event);
  };
  const timeline: Timeline = {
    stream,
    touch() {
      isTouched = true;
    },
    ticket: () => (isTouched ? recorded + 1 : recorded),
    mark() {
      seal();
      return recorded;
    },
    isDone(ticket) {
      if (ticket <= done) return true;
      if (ticket > recorded) seal();
      while (outstanding.length > 0 && ticket > done && driver.isReached(outstanding[0]!.event)) retire();
      return ticket <= done;
    },
    async wait(ticket) {
      const started = performance.now();
      while (!timeline.isDone(ticket)) {
        const isEager = performance.now() - started < eagerMilliseconds;
        await new Promise<void>((resolve) => {
          if (isEager) setImmediate(resolve);
          else setTimeout(resolve, 1);
        });
      }
    },
    block(ticket) {
      if (timeline.isDone(ticket)) return;
      const last = outstanding.find((each) => each.ticket >= ticket)!;
      driver.waitFor(last.event);
      while (done < last.ticket) retire();
    },
    holdBack(other, ticket) {
      if (timeline.isDone(ticket)) return;
      driver.waitInStream(other.stream, outstanding.find((each) => each.ticket >= ticket)!.event);
      other.touch();
    },
    close() {
      for (const { event } of outstanding) driver.destroyEvent(event);
      for (const event of spare) driver.destroyEvent(event);
      driver.destroyStream(stream);
    },
  };
  return timeline;
}
