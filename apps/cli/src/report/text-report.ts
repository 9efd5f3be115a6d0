import { formatDuration } from './format-numbers.js';
import { resultSections, seedsInWords } from './result-rows.js';
import type { ClaimResult, RecipeResults } from './results.js';

/** The results as text for a terminal: accuracy, costs and the paper's numbers by variant, then the claims. */
export function renderTextReport(results: RecipeResults): string {
  const { recipe, paper, scale, durationSeconds } = results;
  const heading = `${recipe} (${scale}): ${paper.title}`;
  const about = `${seedsInWords(results)} per variant, ${formatDuration(durationSeconds)}; ± is the standard deviation over seeds`;
  return [heading, about, '', table(results), '', 'Claims', ...results.claims.map(claimLines)].join('\n');
}

const verdictWidth = 'did not hold'.length;

/** What a verdict is called. */
export function verdictOf({ held }: ClaimResult): 'held' | 'did not hold' | 'undecided' {
  if (held === undefined) return 'undecided';
  return held ? 'held' : 'did not hold';
}

function claimLines(claim: ClaimResult): string {
  const indent = ' '.repeat(verdictWidth + 4);
  return `  ${verdictOf(claim).padEnd(verdictWidth)}  ${claim.statement}\n${indent}${claim.evidence}`;
}

function table(results: RecipeResults): string {
  const sections = resultSections(results);
  const heading = ['', ...results.variants.map(({ name }) => name), 'best constant'];
  const lines = sections.flatMap(({ title, rows }) => [
    [title],
    ...rows.map(({ label, cells, baseline }) => [`  ${label}`, ...cells, baseline]),
  ]);
  // A section's title may be wider than the labels: it has a line of its own.
  const widths = heading.map((_, column) =>
    Math.max(...[heading, ...lines].filter((line) => line.length > 1).map((line) => line[column]!.length)),
  );
  const format = (line: readonly string[]) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [format(heading), rule, ...lines.map((line) => (line.length === 1 ? line[0]! : format(line)))].join('\n');
}
