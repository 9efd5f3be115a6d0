import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { createWorkerPool, type WorkerPool } from '../../src/loader/worker-pool.js';

interface Job {
  readonly do: 'echo' | 'fail' | 'exit' | 'throw' | 'hang' | 'exit once';
  readonly value?: number;
  readonly flag?: string;
}

/** A worker that does what its job says. `exit once` leaves a file behind by which the next worker knows. */
const SCRIPT = `
const { parentPort, threadId } = require('node:worker_threads');
const { existsSync, writeFileSync } = require('node:fs');
parentPort.on('message', ({ id, job }) => {
  if (job.do === 'echo') parentPort.postMessage({ id, result: { value: job.value, threadId } });
  if (job.do === 'fail') parentPort.postMessage({ id, error: { name: 'ImageError', message: 'bad ' + job.value } });
  if (job.do === 'exit') process.exit(7);
  if (job.do === 'throw') setTimeout(() => { throw new Error('out of cheese'); });
  if (job.do === 'exit once') {
    if (existsSync(job.flag)) return parentPort.postMessage({ id, result: { value: job.value, threadId } });
    writeFileSync(job.flag, '');
    process.exit(1);
  }
});`;

type Result = { readonly value: number; readonly threadId: number };

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function poolOf(size: number, timeout = 60_000, script = SCRIPT): WorkerPool<Job, Result> & { started(): number } {
  let count = 0;
  const pool = createWorkerPool<Job, Result>({
    size,
    timeout,
    start: () => {
      count++;
      return new Worker(script, { eval: true, stderr: true });
    },
  });
  cleanups.push(() => pool.close());
  return Object.assign(Object.create(pool) as typeof pool, { started: () => count });
}

const never = new AbortController().signal;

describe('createWorkerPool', () => {
  it('runs jobs on as many workers as it may, and starts none without need', async () => {
    const pool = poolOf(2);
    expect(pool.workers).toHaveLength(0);
    const results = await Promise.all(Array.from({ length: 10 }, (_, value) => pool.run({ do: 'echo', value }, never)));
    expect(results.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(results.map(({ threadId }) => threadId)).size).toBe(2);
    await pool.run({ do: 'echo', value: 10 }, never);
    expect(pool.started()).toBe(2);
  });

  it('passes on the error of a job and keeps the worker', async () => {
    const pool = poolOf(1);
    await expect(pool.run({ do: 'fail', value: 4 }, never)).rejects.toMatchObject({
      name: 'ImageError',
      message: 'bad 4',
    });
    expect(await pool.run({ do: 'echo', value: 5 }, never)).toMatchObject({ value: 5 });
    expect(pool.started()).toBe(1);
  });

  it('replaces a worker that dies and gives its job to the next one', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ocelli-pool-'));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const pool = poolOf(1);
    const flag = join(directory, 'flag');
    const results = await Promise.all([
      pool.run({ do: 'exit once', value: 1, flag }, never),
      pool.run({ do: 'echo', value: 2 }, never),
    ]);
    expect(results.map(({ value }) => value)).toEqual([1, 2]);
    expect(pool.started()).toBe(2);
  });

  it('replaces a worker that is killed from outside', async () => {
    const pool = poolOf(1);
    await pool.run({ do: 'echo', value: 1 }, never);
    const hanging = pool.run({ do: 'hang' }, never);
    await pool.workers[0]!.terminate();
    const replacement = pool.workers[0]!;
    await pool.workers[0]!.terminate();
    expect(replacement).toBeDefined();
    await expect(hanging).rejects.toMatchObject({
      name: 'WorkerError',
      message: expect.stringMatching(/died 2 times/),
    });
    expect(await pool.run({ do: 'echo', value: 3 }, never)).toMatchObject({ value: 3 });
  });

  it('gives a job up that killed two workers, says why, and goes on with the others', async () => {
    const pool = poolOf(1);
    const exiting = pool.run({ do: 'exit' }, never);
    const throwing = pool.run({ do: 'throw' }, never);
    const echo = pool.run({ do: 'echo', value: 6 }, never);
    await expect(exiting).rejects.toThrow(/died 2 times \(exit code 7\)/);
    await expect(throwing).rejects.toThrow(/died 2 times \(out of cheese\)/);
    expect(await echo).toMatchObject({ value: 6 });
    expect(pool.started()).toBe(5);
  });

  it('ends a worker that does not answer in time', async () => {
    const pool = poolOf(1, 2000);
    await expect(pool.run({ do: 'hang' }, never)).rejects.toThrow(/no answer within 2000 ms/);
    expect(await pool.run({ do: 'echo', value: 7 }, never)).toMatchObject({ value: 7 });
    expect(pool.started()).toBe(2);
  });

  it('drops the jobs of an aborted signal', async () => {
    const pool = poolOf(1);
    const controller = new AbortController();
    const running = pool.run({ do: 'hang' }, controller.signal);
    const waiting = pool.run({ do: 'echo', value: 1 }, controller.signal);
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await expect(waiting).rejects.toThrow('enough');
    await expect(pool.run({ do: 'echo', value: 1 }, controller.signal)).rejects.toThrow('enough');
  });

  it('rejects what is unfinished when it is closed, and everything after', async () => {
    const pool = poolOf(1);
    const running = pool.run({ do: 'hang' }, never);
    const waiting = pool.run({ do: 'echo', value: 1 }, never);
    running.catch(() => undefined);
    waiting.catch(() => undefined);
    const exits = pool.workers.map((worker) => once(worker, 'exit'));
    await pool.close();
    await Promise.all(exits);
    await expect(running).rejects.toThrow(/closed/);
    await expect(waiting).rejects.toThrow(/closed/);
    await expect(pool.run({ do: 'echo', value: 1 }, never)).rejects.toThrow(/closed/);
    expect(pool.workers).toHaveLength(0);
  });

  it('keeps the process alive until its workers have ended', async () => {
    const child = fileURLToPath(new URL('./close-while-answering.child.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child], {
      cwd: fileURLToPath(new URL('../../../..', import.meta.url)),
    });
    expect(stdout).toBe('closed with no thread\nthe pool was closed\n');
  });

  it('says why no worker comes up', async () => {
    const broken = poolOf(1, 60_000, 'throw new Error("no such module")');
    await expect(broken.run({ do: 'echo' }, never)).rejects.toThrow(/died 2 times \(no such module\)/);
    const pool = createWorkerPool<Job, Result>({
      size: 1,
      timeout: 1000,
      start: () => {
        throw new Error('no threads left');
      },
    });
    await expect(pool.run({ do: 'echo' }, never)).rejects.toThrow(/no worker starts \(no threads left\)/);
  });
});
