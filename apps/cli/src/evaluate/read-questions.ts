import { readFile } from 'node:fs/promises';
import { ConfigError } from '@ocelli/core-tensor';
import { type Conversation, IMAGE_MARKER, readConversations } from '@ocelli/data';
import { z } from 'zod';
import type { Question } from './answer-questions.js';

/** Type of questions that say none. */
const anyType = 'all';

const typesSchema = z.array(z.string().min(1)).optional();

/**
 * Reads the questions of a file of conversations in LLaVA's format: each of the user's turns that has an answer, asked
 * alone. The images come first. A record's `question_types` say what the score of each question is counted under.
 *
 * @throws ConversationError or ConfigError that names the file and the sample that is malformed.
 */
export async function readQuestions(file: string, imageRoot?: string): Promise<Question[]> {
  const conversations = await readConversations(file, imageRoot === undefined ? {} : { imageRoot });
  const types = await readTypes(file);
  return conversations.flatMap((conversation, index) => {
    const questions = questionsOf(conversation);
    const own = typesSchema.safeParse(types[index]);
    if (own.success && (own.data === undefined || own.data.length === questions.length)) {
      return questions.map((question, turn) => ({ ...question, type: own.data?.[turn] ?? anyType }));
    }
    throw new ConfigError({
      operation: `read ${file} (${conversation.id})`,
      expected: `question_types with a text for each of ${questions.length} questions`,
      received: JSON.stringify(types[index]),
      remedy: 'Correct the sample, or leave question_types out.',
    });
  });
}

/** What the records of a file say about types. It has been read before: it is well-formed. */
async function readTypes(file: string): Promise<unknown[]> {
  const text = await readFile(file, 'utf8');
  const isRecord = (line: string) => line.trim() !== '';
  const records = file.endsWith('.jsonl')
    ? text
        .split('\n')
        .filter(isRecord)
        .map((line) => JSON.parse(line))
    : JSON.parse(text);
  return (records as { question_types?: unknown }[]).map((record) => record.question_types);
}

function questionsOf({ id, images, turns }: Conversation): Omit<Question, 'type'>[] {
  const system = turns.filter(({ role }) => role === 'system');
  const dialogue = turns.slice(system.length);
  return dialogue.flatMap(({ role, text }, index) => {
    const answer = dialogue[index + 1];
    if (role !== 'user' || answer === undefined) return [];
    const question = text.replaceAll(IMAGE_MARKER, '').trim();
    const asked = { role, text: prompt(text, question, images.length) };
    const name = `${id}#${index / 2}`;
    return [
      {
        id: name,
        text: question,
        expected: answer.text,
        conversation: { id: name, images, turns: [...system, asked] },
      },
    ];
  });
}

/** The question behind all images; where it has all of them itself, they stay where they are between its words. */
function prompt(text: string, question: string, images: number): string {
  const own = text.split(IMAGE_MARKER).length - 1;
  if (own === images && images > 1) return text;
  return [...Array.from({ length: images }, () => IMAGE_MARKER), ...(question === '' ? [] : [question])].join('\n');
}
