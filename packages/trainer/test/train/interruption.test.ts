import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { listenForInterruption } from '../../src/train/interruption.js';
import { temporaryFolder } from '../support/toy.js';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const script = fileURLToPath(new URL('../support/interruptible-run.ts', import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  /** Resolves with the exit code. */
  readonly exit: Promise<number | null>;
  /** Waits for a line. */
  see(line: string): Promise<void>;
}

function start(directory: string, mode: 'start' | 'resume', stuckAt = 0): Running {
  const child = spawn(process.execPath, ['--import', 'tsx', script, directory, mode, String(stuckAt)], { cwd: root });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines: string[] = [];
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.stdout.on('data', (text: Buffer) => lines.push(...text.toString().trim().split('\n')));
  const see = (line: string) => vi.waitFor(() => expect(lines).toContain(line), { timeout: 30_000, interval: 5 });
  return { child, lines, exit, see };
}

describe('Ctrl-C', () => {
  test('lets the step end, saves, and leaves a run to go on with', async () => {
    const directory = temporaryFolder();
    const first = start(directory, 'start');
    await first.see('step 3');
    first.child.kill('SIGINT');
    expect(await first.exit).toBe(130);
    const [status, step] = first.lines.at(-1)!.split(' ');
    expect(status).toBe('interrupted');
    expect(Number(step)).toBeLessThan(40);
    const saved = (await readFile(join(directory, 'checkpoints', 'latest'), 'utf8')).trim();
    expect(saved).toBe(`step-${step!.padStart(6, '0')}`);

    const second = start(directory, 'resume');
    expect(await second.exit).toBe(0);
    expect(second.lines[0]).toBe(`step ${Number(step) + 1}`);
    expect(second.lines.at(-1)).toBe('completed 40');
  });

  test('ends the process at once when it comes again', async () => {
    const directory = temporaryFolder();
    const run = start(directory, 'start', 4);
    await run.see('step 2');
    run.child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(run.child.exitCode).toBeNull();
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(130);
    expect(await readdir(join(directory, 'checkpoints'))).toEqual([]);
  });
});

describe('listenForInterruption', () => {
  test('stops listening when it is closed', () => {
    const counts = () => [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')];
    const before = counts();
    const controller = new AbortController();
    const onRequest = vi.fn();
    const interruption = listenForInterruption({ signal: controller.signal, handleSignals: true, onRequest });
    expect(counts()).toEqual(before.map((count) => count + 1));
    interruption.close();
    expect(counts()).toEqual(before);
    controller.abort();
    expect(interruption.requested).toBe(false);
    expect(onRequest).not.toHaveBeenCalled();
  });

  test('asks once', () => {
    const controller = new AbortController();
    const onRequest = vi.fn();
    const interruption = listenForInterruption({ signal: controller.signal, handleSignals: false, onRequest });
    controller.abort();
    controller.abort();
    expect(interruption.requested).toBe(true);
    expect(onRequest).toHaveBeenCalledTimes(1);
  });
});
