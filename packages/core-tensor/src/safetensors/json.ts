/** Whether a parsed JSON value is an object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The index after the string that starts with a quote at `start`. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (text.charCodeAt(index) !== 0x22) {
    index += text.charCodeAt(index) === 0x5c ? 2 : 1;
  }
  return index + 1;
}

function isColonNext(text: string, start: number): boolean {
  let index = start;
  while (' \t\n\r'.includes(text[index] ?? '}')) {
    index++;
  }
  return text[index] === ':';
}

/**
 * The first key that occurs twice in one object of a JSON document, which `JSON.parse` passes over in silence.
 * Only the document's object and the objects directly inside it are looked at.
 *
 * @param text a document that `JSON.parse` accepts and whose value is an object
 */
export function findRepeatedKey(text: string): string | undefined {
  const keys: (Set<string> | undefined)[] = [];
  let depth = 0;
  let index = 0;
  while (index < text.length) {
    const character = text[index];
    if (character === '"') {
      const end = endOfString(text, index);
      const seen = depth <= 2 ? keys[depth] : undefined;
      // Between its braces an object has strings in two places; a colon follows only keys.
      if (seen !== undefined && isColonNext(text, end)) {
        const key = JSON.parse(text.slice(index, end)) as string;
        if (seen.has(key)) {
          return key;
        }
        seen.add(key);
      }
      index = end;
      continue;
    }
    if (character === '{') {
      depth++;
      keys[depth] = depth <= 2 ? new Set() : undefined;
    } else if (character === '[') {
      depth++;
      keys[depth] = undefined;
    } else if (character === '}' || character === ']') {
      depth--;
    }
    index++;
  }
  return undefined;
}
