import type { Summary } from './statistics.js';

/** A share as `61.3 ± 0.8` percent; without spread `61.3`. Nothing is an en dash. */
export function formatPercent(summary: Summary | undefined): string {
  if (summary === undefined) return '–';
  const mean = (summary.mean * 100).toFixed(1);
  return summary.deviation === undefined ? mean : `${mean} ± ${(summary.deviation * 100).toFixed(1)}`;
}

/** A time per step: `12.3 ms`, `1.20 s`. */
export function formatStepTime(summary: Summary | undefined): string {
  if (summary === undefined) return '–';
  return summary.mean < 1 ? `${(summary.mean * 1000).toFixed(1)} ms` : `${summary.mean.toFixed(2)} s`;
}

/** Numbers of the paper, with as many decimals as the one with the most. */
export function formatPublished(values: readonly (number | undefined)[]): string[] {
  const decimals = Math.max(0, ...values.map((value) => String(value ?? 0).split('.')[1]?.length ?? 0));
  return values.map((value) => value?.toFixed(decimals) ?? '–');
}

/** A count of parameters: `812 k`, `7.1 M`. */
export function formatCount(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value < 1e3) return String(value);
  if (value < 1e6) return `${(value / 1e3).toFixed(0)} k`;
  return value < 1e9 ? `${(value / 1e6).toFixed(1)} M` : `${(value / 1e9).toFixed(2)} B`;
}

/** A duration: `48 s`, `12 min 5 s`, `2 h 3 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
