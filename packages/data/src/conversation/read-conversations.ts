import { createReadStream } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { allInOrder } from '../all-in-order.js';
import { firstIssue } from '../data-error.js';
import { type Conversation, checkConversation, type Role, type Turn } from './conversation.js';
import { ConversationError } from './conversation-error.js';

/** One record of LLaVA's conversation format. Fields beyond these are allowed and left alone, as published files have them. */
const recordSchema = z.looseObject({
  id: z.union([z.string().min(1), z.number()]).optional(),
  image: z.union([z.string().min(1), z.array(z.string().min(1))]).nullish(),
  conversations: z.array(z.looseObject({ from: z.string(), value: z.string() })).min(1),
});

const ROLES: Readonly<Record<string, Role>> = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
  system: 'system',
};

/** How many files are looked for at once. */
const CONCURRENT_CHECKS = 32;

export interface ReadConversationsOptions {
  /** Directory that image paths are relative to. Default: the directory of the file. */
  readonly imageRoot?: string;
  /** Whether to look now that every image file exists. Default true. */
  readonly verifyImages?: boolean;
}

/**
 * Reads conversations in LLaVA's format: a JSON array of `{ id, image, conversations: [{ from, value }] }`, or one such
 * object a line in a file that ends with `.jsonl`.
 *
 * @throws ConversationError naming the file and the sample: no JSON, an unknown role, turns that do not alternate, an
 * empty text, markers that do not match the images, an image file that does not exist
 */
export async function readConversations(file: string, options: ReadConversationsOptions = {}): Promise<Conversation[]> {
  const records = await readRecords(file);
  const imageRoot = options.imageRoot ?? dirname(file);
  const conversations = records.map((record, index) => parseConversation(record, index, { file, imageRoot }));
  if (options.verifyImages ?? true) await verifyImages(conversations, file);
  return conversations;
}

/**
 * Reads the records of a JSON array, or of a file that ends with `.jsonl`, one a line.
 *
 * @throws ConversationError naming the file that cannot be read or is no JSON
 */
export function readRecords(file: string): Promise<unknown[]> {
  return file.endsWith('.jsonl') ? readLines(file) : readArray(file);
}

/**
 * Reads one record of LLaVA's format.
 *
 * @param index position among the records, which names a record without an id
 * @throws ConversationError naming the sample
 */
export function parseConversation(
  record: unknown,
  index: number,
  options: { readonly file?: string; readonly imageRoot?: string } = {},
): Conversation {
  const { file, imageRoot } = options;
  const operation = file === undefined ? 'parseConversation' : `read ${file}`;
  const parsed = recordSchema.safeParse(record);
  const fallbackId = file === undefined ? `#${index}` : `${basename(file)}#${index}`;
  if (!parsed.success) {
    const sampleId = nameOf(record) ?? fallbackId;
    throw new ConversationError({
      operation: `${operation} (${sampleId})`,
      expected: '{ id, image, conversations: [{ from, value }, …] }',
      received: firstIssue(parsed.error),
      remedy: 'correct or remove the sample',
      sampleId,
      ...(file === undefined ? {} : { file }),
      value: record,
    });
  }
  const { id, image, conversations } = parsed.data;
  const sampleId = id === undefined ? fallbackId : String(id);
  const images = image === null || image === undefined ? [] : typeof image === 'string' ? [image] : image;
  const turns = conversations.map(({ from, value }): Turn => {
    if (!Object.hasOwn(ROLES, from)) {
      throw new ConversationError({
        operation: `${operation} (${sampleId})`,
        expected: `a role among ${Object.keys(ROLES).join(', ')}`,
        received: JSON.stringify(from),
        remedy: 'correct or remove the sample',
        sampleId,
        ...(file === undefined ? {} : { file }),
        value: from,
      });
    }
    return { role: ROLES[from]!, text: value };
  });
  const conversation = {
    id: sampleId,
    images: imageRoot === undefined ? images : images.map((path) => resolve(imageRoot, path)),
    turns,
  };
  checkConversation(conversation, operation);
  return conversation;
}

function nameOf(record: unknown): string | undefined {
  const id = typeof record === 'object' && record !== null ? (record as { id?: unknown }).id : undefined;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}

async function readArray(file: string): Promise<unknown[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const remedy =
      code === 'ERR_STRING_TOO_LONG'
        ? 'write the samples to a .jsonl file, one a line, which is read as a stream'
        : 'check the path';
    throw unreadable(file, 'a readable file', code ?? String(cause), remedy, cause);
  }
  const value = parseJson(text, file);
  if (!Array.isArray(value)) {
    throw unreadable(file, 'a JSON array of samples', `${value === null ? 'null' : typeof value}`, 'wrap it in [ ]');
  }
  return value;
}

async function readLines(file: string): Promise<unknown[]> {
  const records: unknown[] = [];
  let number = 0;
  const take = (line: string): void => {
    number++;
    if (line.trim() !== '') records.push(parseJson(line, `${file}:${number}`));
  };
  try {
    let rest = '';
    for await (const chunk of createReadStream(file, 'utf8')) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      lines.forEach(take);
    }
    take(rest);
  } catch (cause) {
    if (cause instanceof ConversationError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    throw unreadable(file, 'a readable file', code ?? String(cause), 'check the path', cause);
  }
  return records;
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(
      place,
      'JSON',
      (cause as Error).message,
      'the file is cut short or damaged: fetch it again',
      cause,
    );
  }
}

function unreadable(file: string, expected: string, received: string, remedy: string, cause?: unknown) {
  return new ConversationError({ operation: `read ${file}`, expected, received, remedy, file, cause });
}

async function verifyImages(conversations: readonly Conversation[], file: string): Promise<void> {
  const owners = new Map<string, string>();
  for (const { id, images } of conversations) for (const path of images) if (!owners.has(path)) owners.set(path, id);
  const queue = [...owners];
  for (let start = 0; start < queue.length; start += CONCURRENT_CHECKS) {
    const some = queue.slice(start, start + CONCURRENT_CHECKS);
    await allInOrder(some.map(([path, sampleId]) => verifyImage(path, sampleId, file)));
  }
}

async function verifyImage(path: string, sampleId: string, file: string): Promise<void> {
  try {
    await access(path);
  } catch (cause) {
    throw new ConversationError({
      operation: `read ${file} (${sampleId})`,
      expected: `the image ${path}`,
      received: (cause as NodeJS.ErrnoException).code ?? String(cause),
      remedy: 'check imageRoot, or fetch the image',
      sampleId,
      file,
      value: path,
      cause,
    });
  }
}
