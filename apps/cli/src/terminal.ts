/** Where a command writes. */
export interface Terminal {
  /** Writes to standard output. */
  write(text: string): void;
  /** Writes to standard error. */
  writeError(text: string): void;
  /** Width of a line in characters. */
  readonly columns: number;
  /** Whether somebody is looking, so that a line may be written over. */
  readonly isInteractive: boolean;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  return {
    write: (text) => void stdout.write(text),
    writeError: (text) => void stderr.write(text),
    columns: stdout.columns ?? 100,
    isInteractive: stdout.isTTY === true && stderr.isTTY === true,
  };
}

/** What a long command tells about its progress. */
export interface Reporter {
  /** A line that stays. */
  line(text: string): void;
  /** What is going on now: replaces the last status on a terminal, and is left out elsewhere. */
  status(text: string): void;
}

const eraseLine = '\r\u001b[K';

/** Reports to a terminal: lines on standard output, the status on standard error. */
export function terminalReporter(terminal: Terminal): Reporter & { close(): void } {
  let hasStatus = false;
  const clear = () => {
    if (hasStatus) terminal.writeError(eraseLine);
    hasStatus = false;
  };
  return {
    line: (text) => {
      clear();
      terminal.write(`${text}\n`);
    },
    status: (text) => {
      if (!terminal.isInteractive) return;
      // A status longer than the line would wrap, and could not be written over.
      terminal.writeError(`${eraseLine}${text.slice(0, terminal.columns - 1)}`);
      hasStatus = true;
    },
    close: clear,
  };
}
