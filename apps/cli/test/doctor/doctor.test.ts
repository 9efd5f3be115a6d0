import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../src/doctor/check.js';
import { doctorCommand, formatCheckResults } from '../../src/doctor/doctor.js';
import { memoryTerminal } from '../memory-terminal.js';

describe('doctor', () => {
  it('aligns its lines, with remedies below', () => {
    const results: CheckResult[] = [
      { name: 'Node', status: 'ok', detail: '22.0.0' },
      { name: 'image decoding', status: 'problem', detail: 'sharp does not load', remedy: 'npm install sharp' },
    ];
    expect(formatCheckResults(results)).toBe(
      [
        'ok       Node            22.0.0',
        'problem  image decoding  sharp does not load',
        '                         try: npm install sharp',
      ].join('\n'),
    );
  });

  it('finds that this machine can compute and decode', async () => {
    const terminal = memoryTerminal();
    const code = await doctorCommand(terminal, { json: true });
    const results = JSON.parse(terminal.output) as CheckResult[];
    const statusOf = (name: string) => results.find((result) => result.name === name)?.status;
    for (const name of ['Node', 'onnxruntime-node', 'engine', 'image decoding'])
      expect(statusOf(name), name).toBe('ok');
    expect(results.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['processor', 'memory', 'CUDA', 'disk (here)', 'disk (temporary)']),
    );
    expect(code).toBe(results.some(({ status }) => status === 'problem') ? 1 : 0);
  });
});
