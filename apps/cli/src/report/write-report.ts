import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '@ocelli/core-tensor';
import { renderHtmlReport } from './html-report.js';
import type { RecipeResults } from './results.js';

/** Where a report was written. */
export interface WrittenReport {
  /** The page for people. */
  readonly htmlFile: string;
  /** The same for programs. */
  readonly jsonFile: string;
}

/** Writes `report.html` and `results.json` into a folder, which is made if needed. Each file appears whole or not at all. */
export async function writeReport(results: RecipeResults, folder: string): Promise<WrittenReport> {
  const written = { htmlFile: join(folder, 'report.html'), jsonFile: join(folder, 'results.json') };
  const page = renderHtmlReport(results);
  await mkdir(folder, { recursive: true });
  await writeFileAtomically(written.jsonFile, `${JSON.stringify(results, undefined, 2)}\n`);
  await writeFileAtomically(written.htmlFile, page);
  return written;
}
