import { BenchmarkError } from '../benchmark-error.js';

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

const stringPattern = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/sy;

/**
 * The texts of a list as Python prints it, `['one', "it's two"]`: benchmarks hold options in that form.
 *
 * @throws BenchmarkError if the text is no such list
 */
export function parsePythonStrings(text: string): string[] {
  const malformed = (at: number) =>
    new BenchmarkError({
      operation: 'read list',
      expected: "texts in brackets, such as ['one', 'two']",
      received: `${JSON.stringify(text.slice(at, at + 40))} at ${at}`,
      value: text,
    });
  const inner = /^\s*\[(.*)\]\s*$/s.exec(text)?.[1];
  if (inner === undefined) throw malformed(0);
  const found: string[] = [];
  let at = inner.search(/\S|$/);
  while (at < inner.length) {
    stringPattern.lastIndex = at;
    const match = stringPattern.exec(inner);
    if (!match) throw malformed(at);
    found.push(unescaped(match[1] ?? match[2] ?? ''));
    const [separator] = /^\s*(?:,\s*|$)/.exec(inner.slice(stringPattern.lastIndex)) ?? [];
    if (separator === undefined) throw malformed(stringPattern.lastIndex);
    at = stringPattern.lastIndex + separator.length;
  }
  return found;
}

function unescaped(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/gs,
    (whole, byte?: string, unit?: string, letter?: string) =>
      letter === undefined ? String.fromCharCode(Number.parseInt(byte ?? unit!, 16)) : (escapes[letter] ?? whole),
  );
}
