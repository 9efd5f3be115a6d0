import type { Worker } from 'node:worker_threads';

/** Thrown when a worker ends, or is ended, before it answers. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
}

/** What a worker answers to `{ id, job }`. */
export type WorkerReply<Result> =
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

export interface WorkerPool<Job, Result> {
  /**
   * Runs a job on the next free worker. A job whose worker dies is given to another one, once.
   *
   * @throws WorkerError if both workers died, the job took too long or the pool was closed; the reason of the signal if
   * that was aborted; else the error of the job
   */
  run(job: Job, signal: AbortSignal): Promise<Result>;
  /** Ends all workers; jobs that have not answered are rejected. */
  close(): Promise<void>;
  /** The workers that are alive. */
  readonly workers: readonly Worker[];
}

export interface WorkerPoolOptions {
  readonly size: number;
  readonly start: () => Worker;
  /** Milliseconds after which a job's worker is taken to hang and is ended. */
  readonly timeout: number;
}

interface Task<Job, Result> {
  readonly job: Job;
  attempts: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Slot<Job, Result> {
  readonly worker: Worker;
  task: Task<Job, Result> | undefined;
  timer: NodeJS.Timeout | undefined;
  failure: Error | undefined;
}

const ATTEMPTS = 2;

/** A pool of worker threads that replaces workers that die. Workers are started when there is work for them. */
export function createWorkerPool<Job, Result>(options: WorkerPoolOptions): WorkerPool<Job, Result> {
  const slots = new Set<Slot<Job, Result>>();
  const waiting: Task<Job, Result>[] = [];
  let nextId = 0;
  let closing: Promise<void> | undefined;

  const dispatch = (): void => {
    while (waiting.length > 0 && closing === undefined) {
      let slot = [...slots].find((candidate) => candidate.task === undefined);
      if (slot === undefined && slots.size < options.size) {
        try {
          slot = startSlot();
        } catch (cause) {
          waiting.shift()!.reject(new WorkerError(`no worker starts (${(cause as Error).message})`, { cause }));
          continue;
        }
      }
      if (slot === undefined) return;
      assign(slot, waiting.shift()!);
    }
  };

  const assign = (slot: Slot<Job, Result>, task: Task<Job, Result>): void => {
    task.attempts++;
    slot.task = task;
    slot.timer = setTimeout(() => {
      void end(slot, new WorkerError(`no answer within ${options.timeout} ms`));
      dispatch();
    }, options.timeout);
    // An idle worker does not keep the process alive, a busy one does.
    slot.worker.ref();
    slot.worker.postMessage({ id: nextId++, job: task.job });
  };

  /** Frees a slot and returns the task it had. */
  const settle = (slot: Slot<Job, Result>): Task<Job, Result> | undefined => {
    const { task } = slot;
    clearTimeout(slot.timer);
    slot.task = undefined;
    slot.worker.unref();
    return task;
  };

  /** Ends a worker and fails the task it has. */
  const end = async (slot: Slot<Job, Result>, error: WorkerError): Promise<void> => {
    slots.delete(slot);
    settle(slot)?.reject(error);
    // It keeps the process alive until the worker has ended.
    await slot.worker.terminate();
  };

  const endAll = async (): Promise<void> => {
    const error = new WorkerError('the pool was closed');
    for (const task of waiting.splice(0)) task.reject(error);
    await Promise.all([...slots].map((slot) => end(slot, error)));
  };

  const startSlot = (): Slot<Job, Result> => {
    const worker = options.start();
    const slot: Slot<Job, Result> = { worker, task: undefined, timer: undefined, failure: undefined };
    slots.add(slot);
    worker.unref();
    worker.on('message', (reply: WorkerReply<Result>) => {
      // An answer may arrive while its worker is being ended. Settling would let Node exit before that is awaited.
      if (!slots.has(slot)) return;
      const task = settle(slot);
      if ('result' in reply) task?.resolve(reply.result);
      else task?.reject(Object.assign(new Error(reply.error.message), { name: reply.error.name }));
      dispatch();
    });
    worker.on('error', (error: Error) => {
      slot.failure = error;
    });
    worker.on('exit', (code) => {
      slots.delete(slot);
      const task = settle(slot);
      if (task === undefined) return;
      if (task.attempts < ATTEMPTS && closing === undefined) {
        waiting.unshift(task);
      } else {
        const reason = slot.failure === undefined ? `exit code ${code}` : slot.failure.message;
        task.reject(new WorkerError(`the worker died ${task.attempts} times (${reason})`, { cause: slot.failure }));
      }
      dispatch();
    });
    return slot;
  };

  return {
    get workers() {
      return [...slots].map(({ worker }) => worker);
    },

    run: (job, signal) =>
      new Promise<Result>((resolve, reject) => {
        if (closing !== undefined) throw new WorkerError('the pool is closed');
        signal.throwIfAborted();
        const onAbort = (): void => {
          const index = waiting.indexOf(task);
          // A job that runs already is left to finish: ending its worker would cost more.
          if (index !== -1) waiting.splice(index, 1);
          reject(signal.reason);
        };
        const task: Task<Job, Result> = {
          job,
          attempts: 0,
          resolve: (result) => {
            signal.removeEventListener('abort', onAbort);
            resolve(result);
          },
          reject: (error) => {
            signal.removeEventListener('abort', onAbort);
            reject(error);
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiting.push(task);
        dispatch();
      }),

    close() {
      closing ??= endAll();
      return closing;
    },
  };
}
