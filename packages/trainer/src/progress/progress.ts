/** Where a run is. */
export interface ProgressReport {
  readonly stage: string;
  /** Steps made and to be made in the whole run. */
  readonly step: number;
  readonly steps: number;
  /** Shown in order, behind the steps. */
  readonly values: Readonly<Record<string, number>>;
}

/** Shows where a run is. */
export interface Progress {
  report(report: ProgressReport): void;
  /** A line that stays. */
  message(text: string): void;
  /** Shows the last report if it has not been shown, and leaves the cursor on a line of its own. */
  close(): void;
}

/** What {@link createProgress} writes to: `process.stderr` and other writable streams fit. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface ProgressOptions {
  /** Default: standard error. */
  readonly stream?: ProgressStream;
  /** Milliseconds; only differences count. Default: `performance.now`. */
  readonly now?: () => number;
  /** Seconds between lines where the stream is no terminal. Default: 10. */
  readonly lineInterval?: number;
}

const barInterval = 100;
const barWidth = 20;

/**
 * A line that is updated in place on a terminal, and otherwise a new line every few seconds, with the time that is left
 * at the speed of the steps so far.
 */
export function createProgress({
  stream = process.stderr,
  now = () => performance.now(),
  lineInterval = 10,
}: ProgressOptions = {}): Progress {
  const isTerminal = stream.isTTY === true;
  const interval = isTerminal ? barInterval : lineInterval * 1000;
  let first: { readonly time: number; readonly step: number } | undefined;
  let shownAt = Number.NEGATIVE_INFINITY;
  let pending: ProgressReport | undefined;
  let lineIsOpen = false;

  const endLine = () => {
    if (lineIsOpen) stream.write('\r\x1b[K');
    lineIsOpen = false;
  };
  const show = (report: ProgressReport) => {
    const time = now();
    const rate = first && report.step > first.step ? (report.step - first.step) / (time - first.time) : undefined;
    const text = describe(report, rate && (report.steps - report.step) / rate / 1000, isTerminal);
    if (isTerminal) stream.write(`\r${text.slice(0, (stream.columns ?? 80) - 1)}\x1b[K`);
    else stream.write(`${text}\n`);
    lineIsOpen = isTerminal;
    shownAt = time;
    pending = undefined;
  };
  return {
    report(report) {
      first ??= { time: now(), step: report.step };
      pending = report;
      if (now() - shownAt >= interval) show(report);
    },
    message(text) {
      endLine();
      stream.write(`${text}\n`);
    },
    close() {
      if (pending) show(pending);
      if (lineIsOpen) stream.write('\n');
      lineIsOpen = false;
    },
  };
}

function describe(
  { stage, step, steps, values }: ProgressReport,
  secondsLeft: number | undefined,
  withBar: boolean,
): string {
  const filled = Math.round((barWidth * step) / steps);
  const bar = withBar ? ` [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]` : '';
  const numbers = Object.entries(values).map(([name, value]) => `${name} ${formatNumber(value)}`);
  const left = secondsLeft === undefined ? [] : [`left ${formatDuration(secondsLeft)}`];
  return [`${stage} ${step}/${steps}${bar}`, ...numbers, ...left].join('  ');
}

/** Four significant digits; powers of ten where plain digits would be long. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}

/** `1:05`, `2:03:04`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (part: number) => String(part).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}
