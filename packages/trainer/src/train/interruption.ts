/** Whether a run has been asked to stop. */
export interface Interruption {
  readonly requested: boolean;
  /** Stops listening. */
  close(): void;
}

export interface InterruptionOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether SIGINT and SIGTERM ask too. */
  readonly handleSignals: boolean;
  /** Called at the first request. */
  readonly onRequest: () => void;
}

const exitCode = 130;

/**
 * Listens for Ctrl-C, SIGTERM and an abort signal. The first one asks the run to stop after the current step; a second
 * Ctrl-C or SIGTERM ends the process at once.
 */
export function listenForInterruption({ signal, handleSignals, onRequest }: InterruptionOptions): Interruption {
  let requested = false;
  const request = () => {
    if (requested) return;
    requested = true;
    onRequest();
  };
  const onSignal = () => {
    if (requested) process.exit(exitCode);
    request();
  };
  if (signal?.aborted) request();
  signal?.addEventListener('abort', request, { once: true });
  const names = handleSignals ? (['SIGINT', 'SIGTERM'] as const) : [];
  for (const name of names) process.on(name, onSignal);
  return {
    get requested() {
      return requested;
    },
    close() {
      signal?.removeEventListener('abort', request);
      for (const name of names) process.off(name, onSignal);
    },
  };
}
