import { relative } from 'node:path';
import type { FoundFixture } from '@ocelli/core-tensor';
import type { ParityOutcome } from './run-parity.js';

/** Mismatches that are printed of one fixture. */
const shownMismatches = 5;

const unreadable = '(unreadable)';

/** Formats outcomes as lines of aligned columns. */
export function outcomeFormatter(fixtures: readonly FoundFixture[], root: string): (outcome: ParityOutcome) => string {
  const path = ({ file }: FoundFixture) => relative(root, file);
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => text.length));
  const kindWidth = widest(fixtures.map(({ kind }) => kind ?? unreadable));
  const pathWidth = widest(fixtures.map(path));
  return ({ fixture, forward, gradient, mismatches, passed }) => {
    const columns = [
      (fixture.kind ?? unreadable).padEnd(kindWidth),
      path(fixture).padEnd(pathWidth),
      `forward ${exponential(forward)}`,
      `gradient ${exponential(gradient)}`,
      passed ? 'pass' : 'FAIL',
    ];
    const hidden = mismatches.length - shownMismatches;
    const notes = [...mismatches.slice(0, shownMismatches), ...(hidden > 0 ? [`and ${hidden} more`] : [])];
    return [columns.join('  '), ...notes.map((note) => `    ${note}`)].join('\n');
  };
}

function exponential(error: number): string {
  return (error === 0 ? '0' : error.toExponential(1)).padEnd(7);
}

/** The kinds that nobody compares, with the number of their fixtures. */
export function formatUnregistered(unregistered: ReadonlyMap<string, number>): string {
  const total = [...unregistered.values()].reduce((sum, count) => sum + count, 0);
  const lines = [...unregistered].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `  ${kind} (${count})`);
  return [`No package answers for ${total} fixtures of ${unregistered.size} kinds:`, ...lines].join('\n');
}
