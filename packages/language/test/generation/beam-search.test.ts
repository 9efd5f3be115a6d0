import { ConfigError, closeEngine, foldIn, randomKey, uniformFloats } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { beamHypotheses } from '../../src/generation/beam-hypotheses.js';
import { beamSearch } from '../../src/generation/beam-search.js';
import { planGeneration } from '../../src/generation/plan.js';
import { type GenerateStreamOptions, generate, leftPad } from '../../src/index.js';
import { ids, smallModel } from '../support.js';
import { scriptedSession } from './support.js';

afterAll(closeEngine);

const vocabSize = 4;
const end = 3;

/** Scores of four tokens that depend on everything read; the same each time. */
function scoresAfter(sequence: readonly number[]): number[] {
  const key = sequence.reduce(foldIn, randomKey('language'));
  return Array.from(uniformFloats(key, vocabSize), (value) => 4 * value);
}

function logProbabilities(scores: readonly number[]): number[] {
  const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
  return scores.map((score) => score - total);
}

/** Every answer of at most `length` tokens with its score. */
function allAnswers(prompt: readonly number[], length: number, penalty: number) {
  const complete: { tokens: number[]; score: number }[] = [];
  const visit = (tokens: readonly number[], sum: number) => {
    logProbabilities(scoresAfter([...prompt, ...tokens])).forEach((logProbability, token) => {
      const longer = [...tokens, token];
      const total = sum + logProbability;
      if (token === end || longer.length === length)
        complete.push({ tokens: longer, score: total / longer.length ** penalty });
      else visit(longer, total);
    });
  };
  visit([], 0);
  return complete.sort((a, b) => b.score - a.score);
}

async function search(prompts: readonly number[][], options: Omit<GenerateStreamOptions, 'inputIds'>) {
  const model = smallModel({ vocabSize });
  const plan = await planGeneration(model, { inputIds: ids(prompts), eosTokenId: end, ...options });
  const session = scriptedSession(prompts, scoresAfter);
  const rows = await beamSearch({ ...plan, openSession: () => session });
  return { rows, session };
}

describe('beamSearch', () => {
  it.each([0, 0.7, 1, 2])(
    'finds the best answers of all when there are beams for all, length penalty %f',
    async (lengthPenalty) => {
      const prompts = [
        [1, 2],
        [0, 1],
      ];
      const maxNewTokens = 3;
      const options = {
        maxNewTokens,
        numBeams: 64,
        numReturnSequences: 5,
        lengthPenalty,
        earlyStopping: 'never',
      } as const;
      const { rows, session } = await search(prompts, options);
      const expected = prompts.flatMap((prompt) => allAnswers(prompt, maxNewTokens, lengthPenalty).slice(0, 5));
      expect(rows.map(({ tokens }) => tokens)).toEqual(expected.map(({ tokens }) => tokens));
      rows.forEach(({ score, tokens, finishReason }, row) => {
        expect(score).toBeCloseTo(expected[row]!.score, 5);
        expect(finishReason).toBe(tokens.at(-1) === end ? 'eos' : 'length');
      });
      expect(session.isClosed).toBe(true);
    },
  );

  it('finds no worse answers with more beams, here', async () => {
    const scores = [];
    for (const numBeams of [2, 16, 64]) {
      const { rows } = await search([[2, 2]], { maxNewTokens: 4, numBeams, earlyStopping: 'never' });
      scores.push(rows[0]!.score!);
    }
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
  });

  async function scripted(script: Readonly<Record<string, number[]>>, options: Partial<GenerateStreamOptions>) {
    const plan = await planGeneration(smallModel({ vocabSize }), {
      ...{ inputIds: ids([[1]]), eosTokenId: end, numBeams: 2, numReturnSequences: 2, lengthPenalty: 0 },
      ...options,
    });
    const scores = (sequence: readonly number[]) => script[sequence.slice(1).join()] ?? [0, 0, 0, -9];
    return beamSearch({ ...plan, openSession: () => scriptedSession([[1]], scores) });
  }

  it('drops an end of sequence that is not among the best beams', async () => {
    // Second token, in order: 0 end, 1 0, 1 end (third, with two beams), 0 0.
    const script = {
      '': [3, 2.9, -9, -9],
      '0': [1.5, -9, -9, 3],
      '1': [2.9, -9, -9, 2.2],
      '0,0': [0.01, 0, 0, -9],
      '1,0': [0.01, 0, 0, -9],
    };
    const rows = await scripted(script, { maxNewTokens: 3 });
    expect(rows.map(({ tokens }) => tokens)).toEqual([
      [0, end],
      [1, 0, 0],
    ]);
  });

  it('forgets what was not complete when enough was, however good', async () => {
    const script = { '': [3, -9, -9, 1], '0': [3, -9, -9, 1], '0,0': [3, -9, -9, -9] };
    const early = await scripted(script, { maxNewTokens: 3, earlyStopping: true });
    expect(early.map(({ tokens }) => tokens)).toEqual([[end], [0, end]]);
    const late = await scripted(script, { maxNewTokens: 3, earlyStopping: 'never' });
    expect(late[0]!.tokens).toEqual([0, 0, 0]);
  });

  it('stops early, by its heuristic, or never', async () => {
    const steps = async (earlyStopping: boolean | 'never') => {
      const { rows, session } = await search([[1, 1]], {
        maxNewTokens: 8,
        numBeams: 2,
        lengthPenalty: 1,
        earlyStopping,
      });
      return { steps: session.read.length + 1, score: rows[0]!.score! };
    };
    const [early, heuristic, never] = [await steps(true), await steps(false), await steps('never')];
    expect(early.steps).toBeLessThanOrEqual(heuristic.steps);
    expect(heuristic.steps).toBeLessThanOrEqual(never.steps);
    expect(early.steps).toBeLessThan(never.steps);
    expect(never.score).toBeGreaterThanOrEqual(early.score);
  });

  it('changes scores before it compares sequences', async () => {
    const { rows } = await search([[1, 2]], {
      maxNewTokens: 5,
      numBeams: 3,
      numReturnSequences: 3,
      suppressTokens: [0],
      minNewTokens: 2,
    });
    for (const { tokens } of rows) {
      expect(tokens).not.toContain(0);
      expect(tokens.slice(0, 2)).not.toContain(end);
    }
  });

  it('goes on where fewer tokens are allowed than there are beams', async () => {
    const { rows } = await search([[1]], { maxNewTokens: 3, numBeams: 3, prefixAllowedTokens: () => [2] });
    expect(rows[0]!.tokens).toEqual([2, 2, 2]);
    expect(rows[0]!.score).toBeGreaterThan(-100);
  });

  it('says when no token is left', async () => {
    const options = { maxNewTokens: 3, numBeams: 2, suppressTokens: [0, 1, 2, end] };
    await expect(search([[1]], options)).rejects.toThrow('a token that may come next');
  });

  it('draws candidates at random from a seed', async () => {
    const draw = async (seed: number) => {
      const options = { maxNewTokens: 6, numBeams: 3, doSample: true, temperature: 3, seed, minNewTokens: 6 };
      return (await search([[1, 2]], options)).rows[0]!.tokens;
    };
    expect(await draw(1)).toEqual(await draw(1));
    const answers = await Promise.all([1, 2, 3, 4, 5].map(draw));
    expect(new Set(answers.map(String)).size).toBeGreaterThan(1);
  });

  it('ends at stop strings and at criteria that all beams meet', async () => {
    const decode = (tokens: readonly number[]) => tokens.map((token) => 'abcd'[token]).join('');
    const { rows } = await search([[1]], {
      maxNewTokens: 8,
      minNewTokens: 8,
      numBeams: 2,
      decode,
      stopStrings: ['a', 'b', 'c'],
    });
    expect(rows[0]).toMatchObject({ finishReason: 'stop', text: '' });
    expect(rows[0]!.tokens.length).toBe(1);
    const { rows: cut } = await search([[1]], {
      ...{ maxNewTokens: 8, minNewTokens: 8, numBeams: 2, decode },
      stoppingCriteria: [(beams) => beams.map(({ ids: row, promptLength }) => row.length - promptLength === 3)],
    });
    expect(cut[0]!.tokens.length).toBe(3);
    expect(cut[0]!.text).toBe(decode(cut[0]!.tokens));
    expect(cut[0]!.finishReason).toBe('stop');
  });

  it('has no tokens to tell before its end', async () => {
    const model = smallModel();
    const options = { ...leftPad([[1, 2]], 0), maxNewTokens: 2, numBeams: 2 };
    await expect(generate(model, { ...options, onToken: () => undefined })).rejects.toThrow(ConfigError);
  });
});

describe('beamHypotheses', () => {
  const make = (earlyStopping: boolean | 'never', lengthPenalty = 1) =>
    beamHypotheses({ numBeams: 2, lengthPenalty, earlyStopping, maxNewTokens: 10 });
  const options = (logProbability: number, length: number) => ({ isEnded: true, logProbability, length });

  it('keeps the best, and of equal ones the newest first', () => {
    const hypotheses = make(false);
    hypotheses.add([1], options(-4, 2));
    hypotheses.add([2], options(-3, 1));
    hypotheses.add([3], options(-2, 1));
    hypotheses.add([4], options(-3, 1));
    expect(hypotheses.best(2).map(({ tokens, score }) => [tokens[0], score])).toEqual([
      [3, -2],
      [1, -2],
    ]);
  });

  it('is done when nothing better is to be expected', () => {
    for (const [earlyStopping, expected] of [
      [true, true],
      [false, false],
      ['never', false],
    ] as const) {
      const hypotheses = make(earlyStopping);
      hypotheses.add([1], options(-2, 2));
      expect(hypotheses.isDone(-100, 3)).toBe(false);
      hypotheses.add([2], options(-3, 2));
      expect(hypotheses.isDone(-4, 3)).toBe(expected);
    }
    const heuristic = make(false);
    const never = make('never');
    for (const hypotheses of [heuristic, never]) for (const id of [1, 2]) hypotheses.add([id], options(-3, 2));
    expect([heuristic.isDone(-6, 3), never.isDone(-6, 3), never.isDone(-16, 3)]).toEqual([true, false, true]);
  });
});
