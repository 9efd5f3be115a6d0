import { describe, expect, it } from 'vitest';
import {
  BenchmarkError,
  bleu,
  classifierAccuracy,
  clusteredStandardError,
  comparePaired,
  parsePythonStrings,
  refcocoRecQuestions,
  scoreAi2d,
  scoreHallusion,
  scoreLlavaBench,
  scoreMmbench,
  scoreMme,
  scoreMmStar,
  scorePope,
  scorePopeCategories,
  scoreQBench,
  scoreRefcoco,
  scoreRefcocoRec,
  scoreRetrieval,
  scoreScienceQa,
  scoreSeed,
  scoreTextVqa,
  textVqaQuestion,
} from '../../src/index.js';

const scorers = {
  scoreAi2d,
  scoreHallusion,
  scoreLlavaBench,
  scoreMmbench,
  scoreMme,
  scoreMmStar,
  scorePope,
  scoreQBench,
  scoreRefcoco,
  scoreRefcocoRec,
  scoreScienceQa,
  scoreSeed,
  scoreTextVqa,
  bleu,
};

const mme = { category: 'count', image: '1.png', label: 'yes', answer: 'Yes' } as const;

describe('rows that do not fit', () => {
  it.each(Object.entries(scorers))('%s asks for at least one', (_, score) => {
    expect(() => score([])).toThrow(BenchmarkError);
    expect(() => score([])).toThrow(/: expected at least one row, received none\. Check the split/);
  });

  it.each([
    [
      'an unknown category of MME',
      () => scoreMme([{ ...mme, category: 'cuont' }]),
      /a category of existence, .*"cuont"/,
    ],
    [
      'a single question about an image of MME',
      () => scoreMme([mme]),
      /\(count\): expected two questions about "1\.png", received 1/,
    ],
    [
      'a category of POPE without all its answers',
      () => scorePopeCategories([{ questionId: 1, category: 'random', answer: 'Yes' }], { random: ['yes', 'no'] }),
      /\(random\): expected 2 answers, .* received 1/,
    ],
    [
      'TextVQA without ten annotators',
      () => scoreTextVqa([{ annotators: ['a'], answer: 'a' }]),
      /10 annotators, received 1/,
    ],
    ['a prompt without question', () => textVqaQuestion('one\ntwo\nthree\nfour'), /read question of TextVQA: expected/],
    [
      'an image without pixels',
      () => scoreRefcoco([{ answer: '', box: [0, 0, 1, 1], width: 0, height: 4 }]),
      /received 0 × 4/,
    ],
    [
      'a region without pixels',
      () => refcocoRecQuestions({ bbox: [0, 0, 1, 1], answer: ['x'], width: Number.NaN, height: 4 }),
      /received NaN × 4/,
    ],
    [
      'a caption without references',
      () => bleu([{ caption: 'a', references: [] }]),
      /references for each caption, received none for row 0/,
    ],
    ['labels of other rows', () => classifierAccuracy([[1]], []), /expected 1 rows, received 0/],
    ['clusters of other scores', () => clusteredStandardError([1, 0], [1]), /expected 2 clusters, .* received 1/],
    ['runs on other questions', () => comparePaired([1, 0], [1]), /received 2 and 1/],
    [
      'scores of other texts',
      () => scoreRetrieval([[1]], [1], [1, 1]),
      /scores of 1 images for 2 texts, received 1 × 1/,
    ],
  ])('%s is named', (_, score, message) => {
    expect(score).toThrow(BenchmarkError);
    expect(score).toThrow(message);
  });
});

describe('parsePythonStrings', () => {
  it('reads what Python prints', () => {
    expect(parsePythonStrings(`['Cubism', "it's", 'a\\'b', 'tab\\there', '\\xe9\\u4e2d', ]`)).toEqual([
      'Cubism',
      "it's",
      "a'b",
      'tab\there',
      'é中',
    ]);
    expect(parsePythonStrings('[]')).toEqual([]);
  });

  it.each(['', 'A, B', "['A'", "['A' 'B']", '[1, 2]', "['A',, 'B']"])('refuses %j', (text) => {
    expect(() => parsePythonStrings(text)).toThrow(/^read list: expected texts in brackets/);
  });
});
