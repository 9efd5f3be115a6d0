import { describe, expect, it } from 'vitest';
import { stoppedRows } from '../../src/generation/stopping.js';
import { keywordsCriterion, stopStringCriterion } from '../../src/index.js';

const decode = (ids: readonly number[]) => ids.map((id) => ['a', 'b', '##', '#', 'end.'][id]).join('');
const row = (...ids: number[]) => ({ ids, promptLength: 0, row: 0 });

describe('stopStringCriterion', () => {
  const isStopped = stopStringCriterion(decode, ['###', 'end']);

  it('ends rows whose last token completes a stop string, wherever that begins', () => {
    expect(isStopped([row(0, 2, 3), row(0, 3, 2), row(0, 2), row(1, 4)])).toEqual([true, true, false, true]);
  });

  it('does not end a row for a stop string in front of its last token', () => {
    expect(isStopped([row(2, 3, 0), row(4, 1)])).toEqual([false, false]);
  });

  it('looks at the answer alone', () => {
    expect(isStopped([{ ids: [2, 3], promptLength: 1, row: 0 }])).toEqual([false]);
  });

  it('finds a character that the last byte completes', () => {
    const bytes = (ids: readonly number[]) => new TextDecoder().decode(Uint8Array.from(ids));
    expect(stopStringCriterion(bytes, ['é'])([row(97, 0xc3, 0xa9), row(97, 0xc3)])).toEqual([true, false]);
  });
});

describe('keywordsCriterion', () => {
  const isStopped = keywordsCriterion(decode, [{ text: '###', ids: [2, 3] }]);

  it('ends all rows when each has a keyword, as ids or as text of its newest tokens', () => {
    expect(isStopped([row(0, 2, 3)])).toBe(true);
    expect(isStopped([row(0, 3, 2)])).toBe(true);
    expect(isStopped([row(0, 2, 3), row(0, 3, 2)])).toBe(true);
    expect(isStopped([row(0, 2, 3), row(0, 1, 2)])).toBe(false);
    // Further back than the longest keyword has tokens.
    expect(isStopped([row(2, 3, 0, 0)])).toBe(false);
  });
});

describe('stoppedRows', () => {
  it('ends a row for any reason, and all rows for one that is not of a row', () => {
    const rows = [row(0), row(1), row(2)];
    expect(stoppedRows([() => [true, false, false], () => [false, false, true]], rows)).toEqual([true, false, true]);
    expect(stoppedRows([() => [true, false, false], () => true], rows)).toEqual([true, true, true]);
    expect(stoppedRows([], rows)).toEqual([false, false, false]);
  });
});
