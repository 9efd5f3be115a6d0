import { parseFloatPython } from '../text/python-number.js';

/** Left, top, right, bottom. */
export type BoxCorners = readonly [left: number, top: number, right: number, bottom: number];

/**
 * The first four numbers in brackets of an answer, as ConvLLaVA's evaluator finds them: in the first line that has a
 * bracket, three commas behind it and a closing bracket behind these, what stands between. Undefined where there is no
 * such line, or one of the four is no number: `[0.1, 0.2, 0.3, 0.4, 0.5]` has five.
 *
 * The same as the regular expression `\[*\[(.*?),(.*?),(.*?),(.*?)\]\]*`, in time linear in the answer's length.
 */
export function parseBracketedBox(answer: string): BoxCorners | undefined {
  for (const line of answer.split('\n')) {
    const open = line.indexOf('[');
    if (open < 0) continue;
    let start = open;
    while (line[start] === '[') start++;
    const commas: number[] = [];
    for (let at = line.indexOf(',', start); at >= 0 && commas.length < 3; at = line.indexOf(',', at + 1)) {
      commas.push(at);
    }
    const close = commas.length === 3 ? line.indexOf(']', commas[2]! + 1) : -1;
    if (close < 0) continue;
    const [a, b, c] = commas as [number, number, number];
    const texts = [line.slice(start, a), line.slice(a + 1, b), line.slice(b + 1, c), line.slice(c + 1, close)];
    const values = texts.map(parseFloatPython);
    return values.includes(undefined) ? undefined : (values as unknown as BoxCorners);
  }
  return undefined;
}
