/** Words that carry nothing which the others do not. */
const functionWords = new Set([
  'is',
  'are',
  'there',
  'a',
  'an',
  'the',
  'in',
  'image',
  'does',
  'show',
  'what',
  'which',
  'of',
  'to',
  'you',
  'see',
  'can',
  'how',
]);

/**
 * A question reduced to the words that matter: "Is there a red circle in the image?" becomes "red circle?". Models of a
 * million parameters learn to answer these in seconds, where whole sentences take them many times as long.
 */
export function keywordsOf(question: string): string {
  const words = question.replace(/[?.]$/, '').split(' ');
  return `${words
    .filter((word) => !functionWords.has(word.toLowerCase()))
    .join(' ')
    .toLowerCase()}?`;
}
