/** What both threads see: whether the worker is inside a request, and whether it may begin another. */
export type GateMemory = SharedArrayBuffer;

const [insidePlace, closedPlace] = [0, 1];

/** Longest time that the end of the process waits for a request, in milliseconds. */
const patience = 30_000;

const gates = new Set<NativeGate>();

function closeAll(): void {
  for (const gate of gates) gate.close();
}

/**
 * Keeps the engine's worker from being stopped inside the runtime, which aborts the process. The worker passes the gate
 * with each request; the main thread closes it before the process ends.
 */
export class NativeGate {
  private readonly state: Int32Array;

  constructor(readonly memory: GateMemory = new SharedArrayBuffer(8)) {
    this.state = new Int32Array(memory);
  }

  /** Makes a call; once the gate is closed, none is made and the promise never settles. */
  async pass<T>(call: () => Promise<T>): Promise<T> {
    Atomics.store(this.state, insidePlace, 1);
    if (Atomics.load(this.state, closedPlace) === 1) {
      this.leave();
      return new Promise<never>(() => undefined);
    }
    try {
      return await call();
    } finally {
      this.leave();
    }
  }

  /** Closes when the process ends, unless the worker has ended before. */
  closeAtExit(workerEnd: Promise<void>): void {
    if (gates.size === 0) process.on('exit', closeAll);
    gates.add(this);
    void workerEnd.then(() => {
      gates.delete(this);
      if (gates.size === 0) process.off('exit', closeAll);
    });
  }

  /** Lets no further call begin and blocks until the one being made has returned. */
  close(): void {
    Atomics.store(this.state, closedPlace, 1);
    Atomics.wait(this.state, insidePlace, 1, patience);
  }

  private leave(): void {
    Atomics.store(this.state, insidePlace, 0);
    Atomics.notify(this.state, insidePlace);
  }
}
