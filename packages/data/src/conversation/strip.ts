/** What Python counts as white space at the ends of a text. JavaScript's `trim` has U+FEFF instead of U+001C … U+001F and U+0085. */
const WHITE_SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const ENDS = new RegExp(`^[${WHITE_SPACE}]+|[${WHITE_SPACE}]+$`, 'g');

/** The text without white space at its ends, as Python's `str.strip` leaves it. */
export function strip(text: string): string {
  return text.replace(ENDS, '');
}
