/** What Python counts as white space. JavaScript's `\s` has U+FEFF instead of U+001C … U+001F and U+0085. */
const whiteSpace = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const atStart = new RegExp(`^[${whiteSpace}]+`);
const isSpace = new RegExp(`[${whiteSpace}]`);
const between = new RegExp(`[${whiteSpace}]+`);

/** The text without white space at its ends, as Python's `str.strip()` leaves it. */
export function strip(text: string): string {
  // The end is found by hand: a regular expression tries every run of white space in the text.
  let end = text.length;
  while (end > 0 && isSpace.test(text[end - 1]!)) end--;
  return text.slice(0, end).replace(atStart, '');
}

/** The text without any of some characters at its ends, as Python's `str.strip(characters)` leaves it. */
export function stripCharacters(text: string, characters: string): string {
  let [start, end] = [0, text.length];
  while (start < end && characters.includes(text[start]!)) start++;
  while (end > start && characters.includes(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/** The words between white space, as Python's `str.split()` has them: none in an empty text. */
export function splitWords(text: string): string[] {
  const stripped = strip(text);
  return stripped === '' ? [] : stripped.split(between);
}

/** The first letter in upper case and all others in lower case, as Python's `str.capitalize()`. */
export function capitalize(text: string): string {
  const [first = '', ...rest] = text;
  return first.toUpperCase() + rest.join('').toLowerCase();
}

/** A character of a word in Python's regular expressions (`\w`), to stand between brackets. */
export const wordCharacter = '\\p{L}\\p{N}_';

/** Length in code points, as Python's `len`. */
export function lengthOf(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
