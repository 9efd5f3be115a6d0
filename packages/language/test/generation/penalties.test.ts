import { ConfigError } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { penalties } from '../../src/index.js';

const none = Number.NEGATIVE_INFINITY;

/** Scores of seven tokens after a row, processed. */
function processed(
  process: ReturnType<typeof penalties.repetitionPenalty>,
  ids: readonly number[],
  { scores = [1, 2, -1, 4, -5, 6, 0], promptLength = 0 } = {},
): number[] {
  const row = Float32Array.from(scores);
  process(row, { ids, promptLength, row: 0 });
  return [...row];
}

describe('processors of scores', () => {
  it('penalises each token of the row once, by its sign', () => {
    expect(processed(penalties.repetitionPenalty(2), [1, 4, 1, 1])).toEqual([1, 1, -1, 4, -10, 6, 0]);
    expect(processed(penalties.repetitionPenalty(0.5), [1, 4])).toEqual([1, 4, -1, 4, -2.5, 6, 0]);
  });

  it('promotes tokens of the prompt alone', () => {
    expect(processed(penalties.encoderRepetitionPenalty(2), [1, 4, 3], { promptLength: 2 })).toEqual([
      1, 4, -1, 4, -2.5, 6, 0,
    ]);
  });

  it('bans what would repeat tokens that followed each other', () => {
    expect(processed(penalties.noRepeatNGram(2), [1, 2, 1, 3, 1])).toEqual([1, 2, none, none, -5, 6, 0]);
    expect(processed(penalties.noRepeatNGram(3), [1, 2, 5, 1, 2])).toEqual([1, 2, -1, 4, -5, none, 0]);
    expect(processed(penalties.noRepeatNGram(1), [0, 6])).toEqual([none, 2, -1, 4, -5, 6, none]);
    expect(processed(penalties.noRepeatNGram(3), [1, 2])).toEqual([1, 2, -1, 4, -5, 6, 0]);
  });

  it('adds biases where sequences would be completed', () => {
    const process = penalties.sequenceBias([
      [[3], 10],
      [[1, 2, 4], 100],
      [[2, 2, 5], 1000],
    ]);
    expect(processed(process, [0, 1, 2])).toEqual([1, 2, -1, 14, 95, 6, 0]);
    // A sequence as long as row and token together counts for nothing.
    expect(processed(process, [1, 2])).toEqual([1, 2, -1, 14, -5, 6, 0]);
  });

  it('bans bad words, but never an end of sequence', () => {
    expect(processed(penalties.badWords([[6], [0], [5, 3]], [0]), [1, 5])).toEqual([1, 2, -1, none, -5, 6, none]);
  });

  it('bans ends of sequence until a row is long enough', () => {
    const ids = [3, 3, 3];
    expect(processed(penalties.minLength(4, [1, 6]), ids)).toEqual([1, none, -1, 4, -5, 6, none]);
    expect(processed(penalties.minLength(3, [1, 6]), ids)).toEqual([1, 2, -1, 4, -5, 6, 0]);
    expect(processed(penalties.minNewTokens(2, [1]), ids, { promptLength: 2 })[1]).toBe(none);
    expect(processed(penalties.minNewTokens(1, [1]), ids, { promptLength: 2 })[1]).toBe(2);
  });

  it('leaves what a function allows, and says when that is nothing', () => {
    const after = penalties.prefixConstraint((row, ids) => (row === 0 && ids.at(-1) === 3 ? [0, 5] : []));
    expect(processed(after, [3])).toEqual([1, none, none, none, none, 6, none]);
    expect(() => processed(after, [2])).toThrow(ConfigError);
    expect(() => processed(after, [2])).toThrow('none for row 0 after 1 tokens');
  });

  it('forces first and last tokens', () => {
    expect(processed(penalties.forcedBos(2), [9])).toEqual([none, none, 0, none, none, none, none]);
    expect(processed(penalties.forcedBos(2), [9, 9])).toEqual([1, 2, -1, 4, -5, 6, 0]);
    expect(processed(penalties.forcedEos(3, [1, 2]), [9, 9])).toEqual([none, 0, 0, none, none, none, none]);
    expect(processed(penalties.forcedEos(3, [1, 2]), [9])).toEqual([1, 2, -1, 4, -5, 6, 0]);
  });

  it('makes scores finite', () => {
    const scores = [Number.NaN, Number.POSITIVE_INFINITY, none, 1];
    expect(processed(penalties.finiteScores, [], { scores })).toEqual([
      0, 3.4028234663852886e38, -3.4028234663852886e38, 1,
    ]);
  });

  it('makes the end more likely the longer an answer is', () => {
    const process = penalties.exponentialDecay(1, 3, [2]);
    expect(processed(process, [9, 9], { promptLength: 1 })[2]).toBe(-1);
    expect(processed(process, [9, 9, 9], { promptLength: 1 })[2]).toBe(1);
    expect(processed(process, [9, 9, 9, 9], { promptLength: 1 })[2]).toBe(7);
  });

  it('suppresses tokens, always or where answers begin', () => {
    expect(processed(penalties.suppressTokens([0, 6]), [])).toEqual([none, 2, -1, 4, -5, 6, none]);
    expect(processed(penalties.suppressAtBegin([0], 2), [9, 9])[0]).toBe(none);
    expect(processed(penalties.suppressAtBegin([0], 2), [9, 9, 9])[0]).toBe(1);
  });
});
