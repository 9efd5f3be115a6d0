import { describe, expect, test } from 'vitest';
import { createProgress, formatDuration, formatNumber } from '../../src/index.js';

function recorder(isTTY: boolean, columns = 200) {
  const written: string[] = [];
  let time = 0;
  const progress = createProgress({
    stream: { write: (text) => written.push(text), isTTY, columns },
    now: () => time,
    lineInterval: 10,
  });
  const report = (step: number, seconds: number) => {
    time = seconds * 1000;
    progress.report({ stage: 'align', step, steps: 100, values: { loss: 2.34567, learningRate: 1e-5 } });
  };
  return { written, progress, report };
}

describe('createProgress', () => {
  test('writes a line now and then where there is no terminal', () => {
    const { written, progress, report } = recorder(false);
    report(1, 0);
    report(2, 1);
    report(10, 9.9);
    report(11, 10);
    report(12, 11);
    progress.close();
    expect(written).toEqual([
      'align 1/100  loss 2.346  learningRate 1.00e-5\n',
      'align 11/100  loss 2.346  learningRate 1.00e-5  left 1:29\n',
      'align 12/100  loss 2.346  learningRate 1.00e-5  left 1:28\n',
    ]);
  });

  test('updates one line on a terminal', () => {
    const { written, progress, report } = recorder(true);
    report(50, 0);
    report(51, 0.05);
    report(52, 1);
    progress.message('saved');
    progress.close();
    expect(written).toEqual([
      '\ralign 50/100 [##########..........]  loss 2.346  learningRate 1.00e-5\x1b[K',
      '\ralign 52/100 [##########..........]  loss 2.346  learningRate 1.00e-5  left 0:24\x1b[K',
      '\r\x1b[K',
      'saved\n',
    ]);
  });

  test('shows the last report when it is closed, and fits the terminal', () => {
    const { written, progress, report } = recorder(true, 20);
    report(1, 0);
    report(2, 0.01);
    progress.close();
    expect(written).toEqual(['\ralign 1/100 [......\x1b[K', '\ralign 2/100 [......\x1b[K', '\n']);
  });

  test.each([
    [0, '0'],
    [1234.56, '1235'],
    [0.00012, '1.20e-4'],
    [3e7, '3.00e+7'],
    [Number.NaN, 'NaN'],
  ])('formats %d as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  test.each([
    [5, '0:05'],
    [65.4, '1:05'],
    [7384, '2:03:04'],
  ])('formats %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
