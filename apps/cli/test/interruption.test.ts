import { afterEach, describe, expect, it, vi } from 'vitest';
import { interruptible } from '../src/interruption.js';
import { memoryTerminal } from './memory-terminal.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** What a command that heeds the signal waits for. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}

describe('interruptible', () => {
  it('succeeds where nobody interrupts, and leaves no listener behind', async () => {
    const before = process.listenerCount('SIGINT');
    expect(await interruptible(memoryTerminal(), async (signal) => expect(signal.aborted).toBe(false))).toBe(0);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('lets the command finish after %s, and exits with %i', async (name, code) => {
    const terminal = memoryTerminal();
    let isFinished = false;
    const running = interruptible(terminal, async (signal) => {
      await aborted(signal);
      isFinished = true;
    });
    process.emit(name, name);
    expect(await running).toBe(code);
    expect(isFinished).toBe(true);
    expect(terminal.errors).toMatch(/Stopping after this step/);
  });

  it('takes the reason of the signal for no failure, and other errors for one', async () => {
    const stopping = interruptible(memoryTerminal(), async (signal) => {
      await aborted(signal);
      signal.throwIfAborted();
    });
    process.emit('SIGINT', 'SIGINT');
    expect(await stopping).toBe(130);
    const failing = interruptible(memoryTerminal(), async (signal) => {
      await aborted(signal);
      throw new Error('disk full');
    });
    process.emit('SIGINT', 'SIGINT');
    await expect(failing).rejects.toThrow('disk full');
  });

  it('ends the process at the second interruption', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as () => never);
    let finish = () => {};
    const running = interruptible(memoryTerminal(), () => new Promise<void>((resolve) => (finish = resolve)));
    process.emit('SIGINT', 'SIGINT');
    expect(exit).not.toHaveBeenCalled();
    process.emit('SIGINT', 'SIGINT');
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
    finish();
    await running;
  });
});
