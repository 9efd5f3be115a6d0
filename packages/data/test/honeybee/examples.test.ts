import { describe, expect, it } from 'vitest';
import { boxText } from '../../src/honeybee/box-text.js';
import { drawsOf } from '../../src/honeybee/draws.js';
import { patternPrompt, patternTurns } from '../../src/honeybee/fill-pattern.js';
import { groupExamples } from '../../src/honeybee/group-examples.js';
import { INSTRUCTION_PATTERNS } from '../../src/honeybee/instruction-patterns.js';
import { aokvqaExamples, scienceQaExamples } from '../../src/honeybee/multiple-choice.js';
import { listOptions } from '../../src/honeybee/option-list.js';
import { vqaExamples, vsrExamples } from '../../src/honeybee/question-answering.js';
import { referringExamples } from '../../src/honeybee/regions.js';
import { randomKey } from '../../src/random.js';

describe('boxes', () => {
  it('are rounded to three decimals, ties to the even digit', () => {
    const image = { width: 16, height: 16 };
    expect(boxText([1, 3, 4, 6], image)).toBe('[0.062,0.188,0.312,0.562]');
    expect(boxText([1, 3, 4, 6], image, 2)).toBe('[0.06,0.19,0.31,0.56]');
    expect(boxText([-1, 0, 40, 16], image)).toBe('[-0.062,0.000,2.438,1.000]');
  });
});

describe('options', () => {
  it('have wrong answers where the published code has shuffled its list before', () => {
    const options = ['a', 'b', 'c', 'd'];
    const right = (staleShuffles: number) =>
      Array.from({ length: 400 }, (_, seed) => {
        const draws = drawsOf(randomKey(seed));
        const { option, answer } = listOptions(options, 2, { shuffle: true, staleShuffles }, draws);
        return option.split('\n').includes(`${answer}. c`);
      }).filter(Boolean).length / 400;
    expect(right(0)).toBe(1);
    // The place of the answer is that of any option then.
    expect(right(1)).toBeCloseTo(0.25, 1);
    expect(right(0.5)).toBeCloseTo(0.625, 1);
    expect(options).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are shuffled without touching the list, and the answer goes with its option', () => {
    const options = ['a', 'b', 'c', 'd'];
    const draws = drawsOf(randomKey(1));
    const seen = new Set<string>();
    for (let round = 0; round < 40; round++) {
      const { option, answer } = listOptions(options, 2, { shuffle: true }, draws);
      expect(option.split('\n').find((line) => line.endsWith(' c'))).toBe(`${answer}. c`);
      seen.add(answer);
    }
    expect(options).toEqual(['a', 'b', 'c', 'd']);
    expect(seen.size).toBe(4);
  });
});

describe('patterns', () => {
  const [vqa] = INSTRUCTION_PATTERNS.vqa;
  const examples = [
    { question: 'What {answer}?', answer: 'a {question}' },
    { question: 'Why?', answer: 'wind' },
  ];

  it('fill each place once, and put the image in front of the first question', () => {
    expect(patternTurns(vqa, examples, true)).toEqual([
      { role: 'user', text: '<image>\nAnswer the question using a single word or phrase. What {answer}?' },
      { role: 'assistant', text: 'a {question}' },
      { role: 'user', text: 'Answer the question using a single word or phrase. Why?' },
      { role: 'assistant', text: 'wind' },
    ]);
  });

  it('may have an instruction behind the first sentence', () => {
    const pattern = { instruction: 'Be brief.', input: '{question}', target: '{answer}' };
    expect(patternPrompt(pattern, examples.slice(1), false)).toBe(
      'The following is a conversation between a curious human and AI assistant. Be brief.\nHuman: Why?\nAI: wind',
    );
  });

  it('name the value that an example lacks', () => {
    expect(() => patternPrompt(vqa, [{ question: 'Why?' }], true)).toThrow(/a value for {answer}, received question/);
    expect(() => patternPrompt(INSTRUCTION_PATTERNS.blip[0], [{ caption: 'a' }, { caption: 'b' }], true)).toThrow(
      /one caption, received 2 examples/,
    );
  });
});

describe('groups', () => {
  it('of one turn are not de-duplicated', () => {
    const example = (question: string) => ({ values: { question, answer: 'yes' } });
    const examples = [['1.png', example('a')] as const, ['1.png', example('b')] as const];
    const deduplicate = { key: 'answer' };
    expect(groupExamples(examples, { deduplicate })).toHaveLength(2);
    expect(groupExamples(examples, { turns: -1, deduplicate })[0]!.examples).toEqual([example('a'), example('b')]);
    expect(groupExamples(examples, { turns: 5, deduplicate })[0]!.examples).toEqual([[example('a'), example('b')]]);
  });
});

describe('annotations that do not add up', () => {
  it('are named', () => {
    const questions = { data_subtype: 'train2014', questions: [{ question_id: 1, image_id: 2, question: 'q' }] };
    const answers = (id: number) => ({
      data_subtype: 'train2014',
      annotations: [{ question_id: id, image_id: 2, multiple_choice_answer: 'a' }],
    });
    expect(vqaExamples({ questions, annotations: answers(1) }, 'images')).toEqual([
      ['images/COCO_train2014_000000000002.jpg', { values: { question: 'q', answer: 'a' } }],
    ]);
    expect(() => vqaExamples({ questions, annotations: answers(3) }, '')).toThrow(
      /answer to question 1, received one to 3/,
    );
    expect(() => vqaExamples({ questions, annotations: { ...answers(1), annotations: [] } }, '')).toThrow(/0 answers/);
    expect(() => vqaExamples({ questions: {}, annotations: {} }, '')).toThrow(/VQAv2: .*questions/);

    const choice = { split: 'train', image_id: 1, question: 'q', choices: ['a'], correct_choice_idx: 1 };
    expect(() => aokvqaExamples([choice], '')).toThrow(/an answer among 1 options, received option 1/);

    const science = (answer: string) => [
      { conversations: [{ value: 'q\nContext: c\nOptions: (A) x (B) y' }, { value: answer }] },
    ];
    expect(scienceQaExamples(science('LECTURE: l\n###\nANSWER: B.'), '')[0]![1]).toEqual({
      values: { question: 'q', context: 'c', lecture: 'l\n', solution: '' },
      options: { choices: ['x', 'y'], answer: 1 },
    });
    expect(() => scienceQaExamples(science('B'), '')).toThrow(/a letter behind "ANSWER:", received ""/);
    expect(() => scienceQaExamples(science('###\nANSWER: C.'), '')).toThrow(/2 options, received option 2/);
    expect(() => scienceQaExamples([{ conversations: [{ value: 'q' }, { value: 'a' }] }], '')).toThrow(/"Options: "/);

    const images = [{ id: 1, file_name: 'a.jpg', caption: 'c', width: 2, height: 2 }];
    const boxes = [{ image_id: 2, bbox: [0, 0, 1, 1] }];
    expect(() => referringExamples({ images, annotations: boxes }, '', 3)).toThrow(
      /box of expression 1, received that of 2/,
    );
    expect(() => referringExamples({ images, annotations: [] }, '', 3)).toThrow(/0 boxes/);
  });
});

describe('duplicates', () => {
  it('are kept to draw from, or but for the first dropped, in conversations of several turns alone', () => {
    const examples = ['yes', 'no', 'yes'].map(
      (answer, index) => ['a.jpg', { values: { question: `${index}`, answer } }] as const,
    );
    const sizes = (turns: number, online?: boolean) =>
      groupExamples(examples, { turns, deduplicate: { key: 'answer', ...(online !== undefined && { online }) } }).map(
        (group) => group.examples.map((entry) => (Array.isArray(entry) ? entry.length : 1)),
      );
    expect(sizes(10)).toEqual([[2, 1]]);
    expect(sizes(10, false)).toEqual([[1, 1]]);
    expect(sizes(1)).toEqual([[1], [1], [1]]);
    expect(sizes(-1)).toEqual([[1, 1, 1]]);
  });
});

describe('VSR', () => {
  const asked = (caption: string, form?: 'published' | 'corrected') =>
    vsrExamples([{ image_link: 'a/b/c.jpg', caption, label: 1 }], '', form)[0]![1].values.question_interro;

  it('has its captions asked as published, or put right', () => {
    expect(asked('The island is in the sea.')).toBe('Is the land in the sea?');
    expect(asked('The dogs are behind the sofa.')).toBe('Is the dogs are behind the sofa?');
    expect(asked('The cat is inside the refrigerator.')).toBe('Is the cat inside the refrigerator?');
    expect(asked('The island is in the sea.', 'corrected')).toBe('Is the island in the sea?');
    expect(asked('The dogs are behind the sofa.', 'corrected')).toBe('Are the dogs behind the sofa?');
    expect(asked('The cat is inside the refrigerator.', 'corrected')).toBe('Is the cat inside the refrigerator?');
  });
});
