import { describe, expect, it } from 'vitest';
import { type QuestionRow, questionIndex, questionPlaces } from '../../src/managed/question.js';

/** 3 opens a turn, 4 breaks a line, 5 closes a turn; −200 is an image. */
function row(ids: readonly number[], lengths: readonly number[]): QuestionRow {
  const images = ids.flatMap((id, place) => (id === -200 ? [place] : []));
  return { ids, images, lengths, managedLengths: lengths };
}

const system = [3, 10, 4, 11, 12, 5, 4];

describe('the question', () => {
  const behind = row([...system, 3, 13, 4, -200, 4, 20, 21, 22, 5, 4, 3, 14, 4, 30, 5, 4], [19]);

  it('is behind the image and its line break, up to the end of the turn', () => {
    expect(Object.values(questionIndex(behind, 3))).toEqual([7, 34, 29]);
    expect(questionPlaces(behind, 3, 42)).toEqual([30, 31, 32]);
  });

  it('is in front of it too, without the line break between them', () => {
    const both = row([...system, 3, 13, 4, 25, 26, 4, -200, 4, 27, 5, 4, 3, 14, 4, 35, 5, 4], [6]);
    expect(questionPlaces(both, 3, 60)).toEqual([10, 11, 20]);
  });

  it('ends where the row was cut', () => {
    expect(questionPlaces(behind, 3, 32)).toEqual([30, 31]);
    expect(questionPlaces(behind, 3, 20)).toEqual([]);
  });

  it('is behind the last of several images', () => {
    const several = row([...system, 3, 13, 4, -200, 6, -200, 4, 20, 21, 5, 4, 3, 14, 4, 30, 5, 4], [9, 9]);
    expect(Object.values(questionIndex(several, 3))).toEqual([7, 25, 19]);
    expect(questionPlaces(several, 3, 40)).toEqual([30, 31]);
  });

  it('is the caption without its line break where there are no turns', () => {
    const plain = row([-200, 22, 23, 24, 25, 4], [9]);
    expect(Object.values(questionIndex(plain, 3))).toEqual([-1, 14, 9]);
    expect(questionPlaces(plain, 3, 14)).toEqual([9, 10, 11, 12]);
  });
});
