/** Makes text of ids: a function, or a tokenizer. */
export type TokenDecoder =
  | ((ids: readonly number[]) => string)
  | {
      decode(ids: readonly number[]): string;
    };

export function decodeFunction(decoder: TokenDecoder): (ids: readonly number[]) => string {
  return typeof decoder === 'function' ? decoder : (ids) => decoder.decode(ids);
}

/** What a token adds to the text of its row. */
export interface TextPiece {
  /** What is certain now: no half characters, and nothing of a stop string. May be empty. */
  readonly text: string;
  /** A stop string is complete; the text ends in front of it. */
  readonly isStopped: boolean;
}

export interface TextStream {
  push(token: number): TextPiece;
  /** What was held back, as the row has ended. */
  end(): string;
}

/** What a decoder writes for bytes that are no character, or not yet one. */
const replacement = '\uFFFD';

/**
 * Makes text of tokens as they come. Tokens are decoded together with those before them, since a decoder may need
 * several for one character and may treat the first one of a text differently.
 */
export function textStream(decoder: TokenDecoder, stopStrings: readonly string[] = []): TextStream {
  const decode = decodeFunction(decoder);
  const ids: number[] = [];
  // Text up to `read` is known; it is decoded again from `start` on, as context of what follows.
  let start = 0;
  let read = 0;
  let held = '';

  const fresh = () => decode(ids.slice(start)).slice(decode(ids.slice(start, read)).length);

  return {
    push(token) {
      ids.push(token);
      const text = fresh();
      if (text === '' || text.endsWith(replacement)) return { text: '', isStopped: false };
      start = read;
      read = ids.length;
      held += text;
      const stop = firstStop(held, stopStrings);
      const certain = stop ?? held.length - possibleStop(held, stopStrings);
      const piece = held.slice(0, certain);
      held = stop === undefined ? held.slice(certain) : '';
      return { text: piece, isStopped: stop !== undefined };
    },
    end() {
      const rest = held + fresh();
      held = '';
      start = read = ids.length;
      return rest;
    },
  };
}

/** Where the first stop string begins. */
function firstStop(text: string, stopStrings: readonly string[]): number | undefined {
  const found = stopStrings.map((stop) => text.indexOf(stop)).filter((index) => index >= 0);
  return found.length === 0 ? undefined : Math.min(...found);
}

/** Length of the longest end of a text with which a stop string begins. */
function possibleStop(text: string, stopStrings: readonly string[]): number {
  let longest = 0;
  for (const stop of stopStrings) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (stop.startsWith(text.slice(-length))) longest = length;
    }
  }
  return longest;
}
