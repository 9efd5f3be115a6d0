import { describe, expect, it } from 'vitest';
import { BenchmarkError, vqaV2Examples, vqaV2Labels, vqaV2TargetRows } from '../../src/index.js';

const majority = (answer: string, count: number) =>
  Array.from({ length: count }, () => ({ multiple_choice_answer: answer }));

const answersOf = (...answers: string[]) => answers.map((answer) => ({ answer }));

describe('vqaV2Labels', () => {
  const annotations = [
    ...majority('a cat', 4),
    ...majority('dog', 8),
    ...majority('yes', 30),
    ...majority('Cat', 5),
    ...majority('two', 8),
    ...majority('2', 1),
  ];

  it('are the normalised majority answers of at least nine questions, as they first appear', () => {
    expect(vqaV2Labels(annotations)).toEqual(['cat', 'yes', '2']);
    expect(vqaV2Labels(annotations, { minimumCount: 8 })).toEqual(['cat', 'dog', 'yes', '2']);
    expect(vqaV2Labels([])).toEqual([]);
  });
});

describe('vqaV2Examples', () => {
  const labels = ['cat', 'yes', '2'];
  const questions = [1, 2, 3].map((id) => ({ question_id: id, image_id: 10 * id, question: `${id}?` }));
  const annotations = [
    { question_id: 3, multiple_choice_answer: 'yes', answers: answersOf('yes', 'yes', 'yes', 'yes', 'two', 'maybe') },
    { question_id: 1, multiple_choice_answer: 'cat', answers: answersOf('the cat', 'cat', 'Two', '2', '2', 'dog') },
    { question_id: 2, multiple_choice_answer: 'zebra', answers: answersOf('zebra', 'horse') },
  ];

  it('score the known answers by the annotators that gave them, and leave out questions without any', () => {
    const examples = vqaV2Examples(questions, annotations, labels);
    expect(examples.map(({ questionId, imageId, question }) => [questionId, imageId, question])).toEqual([
      [1, 10, '1?'],
      [3, 30, '3?'],
    ]);
    expect([...examples[0]!.targets]).toEqual([
      [0, 0.6],
      [2, 0.9],
    ]);
    expect([...vqaV2TargetRows(examples, 3)]).toEqual([...Float32Array.of(0.6, 0, 0.9, 0, 1, 0.3)]);
  });

  it('refuse a question without an annotation, and labels that repeat', () => {
    expect(() => vqaV2Examples(questions, annotations.slice(1), labels)).toThrow(BenchmarkError);
    expect(() => vqaV2Examples(questions, annotations.slice(1), labels)).toThrow(/question 3/);
    expect(() => vqaV2Examples(questions, annotations, ['yes', 'yes'])).toThrow(/1 of them different/);
  });
});
