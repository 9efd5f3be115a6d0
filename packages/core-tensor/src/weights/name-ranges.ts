/**
 * Names with those that differ in one number only written together: `layers.{0..2,4}.weight` for four of them. Nothing
 * is left out, and a model's hundreds of layers stay readable.
 */
export function nameRanges(names: readonly string[]): string[] {
  const groups = new Map<string, { readonly before: string; readonly after: string; readonly numbers: number[] }>();
  for (const name of names) {
    const parts = /^(.*?(?:^|\.))(\d+)((?:\.|$).*)$/.exec(name);
    if (!parts) {
      groups.set(name, { before: name, after: '', numbers: [] });
      continue;
    }
    const [, before, number, after] = parts as unknown as [string, string, string, string];
    const group = groups.get(`${before}*${after}`);
    if (group) group.numbers.push(Number(number));
    else groups.set(`${before}*${after}`, { before, after, numbers: [Number(number)] });
  }
  return [...groups.values()].map(({ before, after, numbers }) => {
    if (numbers.length === 0) return before;
    return numbers.length === 1 ? `${before}${numbers[0]}${after}` : `${before}{${ranges(numbers)}}${after}`;
  });
}

function ranges(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const runs: [first: number, last: number][] = [];
  for (const number of sorted) {
    const run = runs.at(-1);
    if (run && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}..${last}`)).join(',');
}
