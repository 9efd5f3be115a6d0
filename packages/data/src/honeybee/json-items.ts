import { createReadStream } from 'node:fs';
import { ConversationError } from '../conversation/conversation-error.js';

/** A member of an object, or an element of a list, whose key is its place. */
export type JsonItem = readonly [key: string, value: unknown];

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);
const WHITE_SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Reads what is directly inside a JSON file's object or list, item by item: the order of the file is kept where
 * `JSON.parse` would sort keys that look like numbers, and the file may be longer than a string can be.
 *
 * @throws ConversationError naming the file, if it cannot be read or is no object or list
 */
export async function* jsonItems(file: string): AsyncGenerator<JsonItem> {
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  let key: string | undefined;
  let index = 0;
  let isEmpty = true;
  let pieces: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      let start = 0;
      const take = (end: number): string => {
        const text = Buffer.concat([...pieces, chunk.subarray(start, end)]).toString('utf8');
        pieces = [];
        start = end + 1;
        return text;
      };
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at]!;
        if (isInString) {
          if (isEscaped) isEscaped = false;
          else if (byte === BACKSLASH) isEscaped = true;
          else if (byte === QUOTE) isInString = false;
          continue;
        }
        if (WHITE_SPACE.has(byte)) continue;
        if (depth === 0 && (index > 0 || !OPENING.has(byte))) throw new SyntaxError(`text at the top level`);
        if (depth === 1 && (byte === COMMA || CLOSING.has(byte))) {
          const text = take(at);
          if (!isEmpty) yield [key ?? String(index), JSON.parse(text)];
          else if (byte === COMMA || index > 0) throw new SyntaxError('an item is missing');
          index++;
          key = undefined;
          isEmpty = true;
        } else if (depth === 1 && byte === COLON) {
          key = JSON.parse(take(at)) as string;
          isEmpty = true;
          continue;
        } else if (depth > 0) {
          isEmpty = false;
        }
        if (byte === QUOTE) isInString = true;
        else if (OPENING.has(byte)) {
          depth++;
          if (depth === 1) start = at + 1;
        } else if (CLOSING.has(byte)) depth--;
      }
      pieces.push(chunk.subarray(start));
    }
    if (depth !== 0 || index === 0) throw new SyntaxError('the file ends too early');
  } catch (cause) {
    throw new ConversationError({
      operation: `read ${file}`,
      expected: 'a JSON file with an object or a list',
      received: (cause as NodeJS.ErrnoException).code ?? (cause as Error).message,
      remedy: 'check the path; if the file is there, it is cut short or damaged: fetch it again',
      file,
      cause,
    });
  }
}

/** The values of a list in a JSON file. */
export async function jsonList(file: string): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const [, value] of jsonItems(file)) values.push(value);
  return values;
}

/** The members of an object in a JSON file, in order. */
export async function jsonEntries(file: string): Promise<JsonItem[]> {
  const entries: JsonItem[] = [];
  for await (const item of jsonItems(file)) entries.push(item);
  return entries;
}
