/** What a bench prints; its times are milliseconds. */
export interface ResultLine {
  readonly bench: string;
  readonly ours?: number;
  readonly peerMode?: string | null;
  readonly peer?: number | null;
  readonly ratio?: number | null;
  readonly target?: number | null;
  readonly targetSeconds?: number;
  readonly floor?: number;
  readonly fractionOfFloor?: number;
  readonly floorTarget?: number;
  readonly card?: string;
  readonly driver?: string | null;
  readonly versions?: Readonly<Record<string, string>>;
  readonly matmulTeraflops?: number;
  readonly bandwidthGigabytes?: number;
  readonly command?: string;
  readonly tiny?: boolean;
  readonly skipped?: string;
  readonly failed?: string;
  readonly peerSkipped?: string;
  readonly peerFailed?: string;
}

/**
 * Lines of benches as a section of RESULTS.md; `undefined` if no card measured anything.
 *
 * @param date of the measurements, YYYY-MM-DD
 */
export function resultsSection(lines: readonly ResultLine[], date: string): string | undefined {
  const measured = lines.filter(({ ours }) => ours !== undefined);
  const [first] = measured;
  if (!first) return undefined;
  const versions = Object.assign({}, ...measured.map((line) => line.versions)) as Record<string, string>;
  const rows = measured.map((line) => [
    line.bench,
    line.peerMode ?? '',
    time(line.ours),
    time(line.peer),
    ratio(line.ratio),
    targetOf(line),
    time(line.floor),
    ratio(line.fractionOfFloor),
  ]);
  const head = ['bench', 'PyTorch', 'ours, ms', 'PyTorch, ms', 'ratio', 'to reach', 'floor, ms', 'floor / ours'];
  const troubles = lines.flatMap((line) => {
    const reason = line.failed ?? line.peerFailed ?? line.skipped ?? line.peerSkipped;
    const side = line.peerMode ? `${line.bench}, PyTorch ${line.peerMode}` : line.bench;
    return reason === undefined ? [] : [`- ${side}: ${reason.split('\n')[0]}`];
  });
  return [
    `## ${date}, ${first.card}${first.tiny ? ', tiny sizes' : ''}`,
    '',
    `Driver ${first.driver ?? 'unknown'}; ${list(versions)}. Measured beside the benches: products of bfloat16 at ` +
      `${range(measured, 'matmulTeraflops')} TFLOP/s, copies at ${range(measured, 'bandwidthGigabytes')} GB/s.`,
    '',
    ...table([head, head.map(() => '---'), ...rows]),
    '',
    ...(troubles.length > 0 ? ['Not measured:', '', ...troubles, ''] : []),
    'Commands:',
    '',
    '```sh',
    ...new Set(measured.flatMap(({ command }) => (command === undefined ? [] : [command]))),
    '```',
    '',
  ].join('\n');
}

function targetOf({ target, targetSeconds, floorTarget }: ResultLine): string {
  if (targetSeconds !== undefined) return `< ${targetSeconds} s`;
  if (floorTarget !== undefined) return `≥ ${floorTarget} of the floor`;
  return target == null ? '' : `≥ ${target}`;
}

function list(versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}

function range(lines: readonly ResultLine[], field: 'matmulTeraflops' | 'bandwidthGigabytes'): string {
  const values = lines.flatMap((line) => line[field] ?? []);
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => String(Number(value.toPrecision(3))));
  return least === most ? least! : `${least}–${most}`;
}

function time(milliseconds: number | null | undefined): string {
  return milliseconds == null ? '' : String(Number(milliseconds.toPrecision(4)));
}

function ratio(value: number | null | undefined): string {
  return value == null ? '' : value.toFixed(2);
}

function table(rows: readonly (readonly string[])[]): string[] {
  return rows.map((cells) => `| ${cells.join(' | ')} |`);
}
