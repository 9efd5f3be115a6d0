import { appendFile, readFile } from 'node:fs/promises';
import { type ResultLine, resultsSection } from './results.js';

/** Appends lines of benches to a file of results: `write-results.ts LINES FILE DATE`. */
const [lines, file, date] = process.argv.slice(2) as [string, string, string];
const read = (await readFile(lines, 'utf8')).split('\n').filter((line) => line !== '');
const section = resultsSection(
  read.map((line) => JSON.parse(line) as ResultLine),
  date,
);
if (section === undefined) console.error('Nothing was measured, so nothing is written.');
else await appendFile(file, `\n${section}`);
