import { describe, expect, it } from 'vitest';
import { BenchmarkError, gradeMmVet, readLiveBenchReply, scoreLiveBench, scoreMmVet } from '../../src/index.js';

describe('gradeMmVet', () => {
  it('gives no grade to a judge that never answers, and stops asking', async () => {
    let requests = 0;
    const ask = async () => {
      requests++;
      return undefined;
    };
    expect(await gradeMmVet(ask, { limit: 7 })).toBeUndefined();
    expect(requests).toBe(7);
    expect(await gradeMmVet(async () => '7', { limit: 5 })).toBeUndefined();
  });

  it('grades 0 once the temperature is 2', async () => {
    const temperatures: number[] = [];
    const grade = await gradeMmVet(async (temperature) => {
      temperatures.push(temperature);
      return 'good';
    });
    expect(grade).toBe(0);
    expect(Math.max(...temperatures)).toBe(2);
  });
});

describe('scoreMmVet', () => {
  it('counts a question for each of its capabilities', () => {
    const { score, capabilities, combinations } = scoreMmVet([
      { capability: 'ocr,rec', grade: 1 },
      { capability: 'rec', grade: 0.5 },
    ]);
    expect(score).toBe(75);
    expect(capabilities).toEqual({ rec: 75, ocr: 100 });
    expect(combinations).toEqual({ rec: 50, rec_ocr: 100 });
  });
});

describe('LiveBench', () => {
  it('tells a reply to ask for again from a rating that is none', () => {
    expect(readLiveBenchReply('{"Explanation": "e", "Rating": 8}')).toBe(8);
    expect(readLiveBenchReply('{"Rating": 8}')).toBe('again');
    expect(readLiveBenchReply('{"Explanation": "e", "Rating": "8"}')).toBe('invalid');
  });

  it('names a sub-task that it does not know, and a judge that always failed', () => {
    expect(() => scoreLiveBench([{ subtask: 'further insights', rating: 1 }])).toThrow(BenchmarkError);
    expect(() => scoreLiveBench([{ subtask: 'Divergent Thinking', rating: -1 }])).toThrow(
      /received 1 failures of the judge/,
    );
  });
});
