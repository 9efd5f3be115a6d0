import { describe, expect, it } from 'vitest';
import {
  anls,
  honeybeeMmbench,
  type MmbenchPass,
  mmeLabel,
  parseQBench,
  parseReview,
  popeAnswer,
  scoreLlavaBench,
  scoreMmbench,
  scoreRefcoco,
  scoreScienceQa,
  vqaV2Accuracy,
} from '../../src/index.js';

describe('the published rules and the ones without their faults', () => {
  it('MME: an answer that only begins with a no', () => {
    expect(mmeLabel('Not sure')).toBe('no');
    expect(mmeLabel('Not sure', 'relaxed')).toBe('other');
    expect(mmeLabel('Y', 'lmms-eval')).toBe('yes');
    expect(mmeLabel('Y')).toBe('other');
  });

  it('POPE: anything that is no no', () => {
    expect([popeAnswer('Nope'), popeAnswer('NO'), popeAnswer('NO', 'moai')]).toEqual(['yes', 'yes', 'no']);
    expect(popeAnswer('Yes.', 'lmms-eval')).toBe('other');
  });

  it('Q-Bench: an answer that cannot be read', () => {
    expect([parseQBench('A.', 4), parseQBench('', 4), parseQBench('CD', 4)]).toEqual([3, 0, 2]);
    expect([parseQBench('A.', 4, 'letter'), parseQBench('', 4, 'letter')]).toEqual([0, -1]);
    expect(parseQBench('D', 2)).toBe(-1);
  });

  it('ScienceQA: an answer that cannot be read is wrong, and drawn only where draws are given', () => {
    const rows = [{ choices: ['x', 'y', 'z'], label: 1, answer: '??', hasImage: false }];
    expect(scoreScienceQa(rows, { rule: 'honeybee' })).toMatchObject({ correct: 0, indices: [-1] });
    const asked: number[] = [];
    const draws = {
      choice: (count: number) => {
        asked.push(count);
        return 1;
      },
    };
    expect(scoreScienceQa(rows, { rule: 'honeybee', draws })).toMatchObject({ correct: 1, indices: [1] });
    expect(asked).toEqual([3]);
  });

  it('MMBench: every pass must be right, and a wrong one is not drawn for', () => {
    const pass = (index: number, label: string, answer: string): MmbenchPass => ({
      index,
      label,
      answer,
      options: { A: 'cat', B: 'dog', C: 'cow', D: 'hen', E: 'N/A' },
      category: 'c',
      l2Category: 'l',
    });
    const draws = { choice: () => 0 };
    const right = [pass(7, 'A', 'A'), pass(1_000_007, 'B', 'a dog')];
    expect(scoreMmbench(right, honeybeeMmbench({ draws }))).toMatchObject({ total: 1, correct: 1, unparsed: 0 });
    const unread = [pass(7, 'A', 'hm'), pass(1_000_007, 'B', 'B')];
    expect(scoreMmbench(unread, honeybeeMmbench())).toMatchObject({ correct: 0, unparsed: 1 });
    expect(scoreMmbench(unread, honeybeeMmbench({ draws }))).toMatchObject({ correct: 1, unparsed: 1 });
    const never = { choice: () => expect.fail('a draw for a question that is lost') };
    const wrong = [pass(7, 'A', 'hm'), pass(1_000_007, 'B', 'C')];
    expect(scoreMmbench(wrong, honeybeeMmbench({ draws: never }))).toMatchObject({ correct: 0 });
  });

  it('LLaVA-Bench: reviews that cannot be read', () => {
    expect(parseReview('8, 7')).toEqual([-1, -1]);
    const failed = [{ category: 'conv', scores: parseReview('no idea') }];
    expect(scoreLlavaBench(failed).all).toEqual({ score: 100, reference: -10, model: -10 });
    expect(scoreLlavaBench(failed, { unreadable: 'left-out' })).toEqual({});
  });

  it('VQAv2: ten equal answers stay as they are in lmms-eval 0.2.4', () => {
    const annotators = new Array<string>(10).fill('a dog');
    expect(vqaV2Accuracy('a dog', annotators, 'lmms-0.2.4')).toBe(0);
    expect(vqaV2Accuracy('a dog', annotators)).toBe(1);
  });

  it('ANLS: blanks count for the length, or do not', () => {
    expect(anls('total   12', ['total 13'])).toBeCloseTo(1 - 1 / 10, 12);
    expect(anls('total   12', ['total 13'], { length: 'collapsed' })).toBeCloseTo(1 - 1 / 8, 12);
    expect(anls('abc', ['xyz'])).toBe(0);
  });

  it('RefCOCO: a box on the padded square, in fractions or thousandths', () => {
    const row = { box: [100, 120, 400, 300] as const, width: 640, height: 480 };
    const exact = '[0.15625, 0.3125, 0.625, 0.59375]';
    const { accuracy, overlaps } = scoreRefcoco([
      { ...row, answer: exact },
      { ...row, answer: '[156.25, 312.5, 625, 593.75]' },
      { ...row, answer: 'on the left' },
    ]);
    expect(overlaps[0]).toBeCloseTo(1, 5);
    expect(overlaps[1]).toBeCloseTo(1, 5);
    expect(overlaps[2]).toBe(0);
    expect(accuracy).toBeCloseTo(2 / 3, 12);
  });
});
