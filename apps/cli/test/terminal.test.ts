import { describe, expect, it } from 'vitest';
import { terminalReporter } from '../src/terminal.js';
import { memoryTerminal } from './memory-terminal.js';

describe('terminalReporter', () => {
  it('writes a status over the last one, cut to the line, and erases it before a line', () => {
    const terminal = memoryTerminal({ isInteractive: true, columns: 10 });
    const reporter = terminalReporter(terminal);
    reporter.status('step 1');
    reporter.status('step 2 of very many');
    reporter.line('stage done');
    reporter.line('next');
    expect(terminal.output).toBe('stage done\nnext\n');
    expect(terminal.errors).toBe('\r\u001b[Kstep 1\r\u001b[Kstep 2 of\r\u001b[K');
    reporter.status('last');
    reporter.close();
    expect(terminal.errors.endsWith('last\r\u001b[K')).toBe(true);
  });

  it('writes no status where nobody looks', () => {
    const terminal = memoryTerminal();
    const reporter = terminalReporter(terminal);
    reporter.status('step 1');
    reporter.line('done');
    reporter.close();
    expect(terminal.output).toBe('done\n');
    expect(terminal.errors).toBe('');
  });
});
