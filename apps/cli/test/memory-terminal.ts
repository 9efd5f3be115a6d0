import type { Terminal } from '../src/terminal.js';

/** A terminal that keeps what is written. */
export function memoryTerminal({
  isInteractive = false,
  columns = 100,
} = {}): Terminal & { output: string; errors: string } {
  return {
    output: '',
    errors: '',
    columns,
    isInteractive,
    write(text) {
      this.output += text;
    },
    writeError(text) {
      this.errors += text;
    },
  };
}
