import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readQuestions } from '../../src/evaluate/read-questions.js';
import { temporaryFolder } from '../train/tiny-run.js';

const human = (value: string) => ({ from: 'human', value });
const gpt = (value: string) => ({ from: 'gpt', value });

async function questionsOf(name: string, records: readonly object[]) {
  const folder = await temporaryFolder();
  for (const image of ['a.png', 'b.png']) await writeFile(join(folder, image), '');
  const text = name.endsWith('.jsonl')
    ? `${records.map((record) => JSON.stringify(record)).join('\n\n')}\n`
    : JSON.stringify(records);
  await writeFile(join(folder, name), text);
  const questions = await readQuestions(join(folder, name));
  return questions.map(({ conversation, ...question }) => ({
    ...question,
    prompt: conversation.turns.map(({ role, text }) => `${role}: ${text}`),
    images: conversation.images.map((path) => path.slice(folder.length + 1)),
  }));
}

it.each(['test.json', 'test.jsonl'])('asks every question of %s alone, behind its image', async (name) => {
  const first = {
    id: 7,
    image: 'a.png',
    conversations: [human('What colour?\n<image>'), gpt('red'), human('How many?'), gpt('2'), human('Unanswered?')],
    question_types: ['colour', 'count'],
  };
  const second = { id: 'text', conversations: [{ from: 'system', value: 'Be brief.' }, human('1 + 1?'), gpt('2')] };
  expect(await questionsOf(name, [first, second])).toEqual([
    {
      id: '7#0',
      type: 'colour',
      text: 'What colour?',
      expected: 'red',
      prompt: ['user: <image>\nWhat colour?'],
      images: ['a.png'],
    },
    {
      id: '7#1',
      type: 'count',
      text: 'How many?',
      expected: '2',
      prompt: ['user: <image>\nHow many?'],
      images: ['a.png'],
    },
    {
      id: 'text#0',
      type: 'all',
      text: '1 + 1?',
      expected: '2',
      prompt: ['system: Be brief.', 'user: 1 + 1?'],
      images: [],
    },
  ]);
});

it('keeps several images where a question has them, and puts them in front of the others', async () => {
  const conversations = [human('Is <image> like <image>?'), gpt('no'), human('Why?'), gpt('because')];
  const [first, second] = await questionsOf('test.json', [{ id: 'pair', image: ['a.png', 'b.png'], conversations }]);
  expect(first!.prompt).toEqual(['user: Is <image> like <image>?']);
  expect(second).toMatchObject({ prompt: ['user: <image>\n<image>\nWhy?'], images: ['a.png', 'b.png'] });
});

it('asks for a caption with the image alone', async () => {
  const [question] = await questionsOf('test.json', [
    { id: 'c', image: 'a.png', conversations: [human('<image>'), gpt('A cat.')] },
  ]);
  expect(question).toMatchObject({ prompt: ['user: <image>'], text: '', expected: 'A cat.' });
});
