import { ConfigError } from '@ocelli/core-tensor';
import { levelsOf, type Trial, tryManaged, tryMoai, tryVisionLanguage } from './models.js';
import { type ProjectorPart, projectorParts, type VisionPart, visionParts } from './parts.js';

type Column = readonly [title: string, build: (vision: VisionPart, file: string) => Trial];

const managed =
  (projector: ProjectorPart) =>
  (vision: VisionPart, file: string): Trial =>
    tryManaged({ vision, projector, levels: [0, Math.max(1, levelsOf(vision, file))] }, file);

const columns: readonly Column[] = [
  ...(Object.keys(projectorParts) as ProjectorPart[]).map(
    (projector): Column => [projector, (vision, file) => tryVisionLanguage({ vision, projector }, file)],
  ),
  ['tiles', (vision, file) => tryVisionLanguage({ vision, projector: 'mlp', tiles: true }, file)],
  ['managers', managed('mlp')],
  ['managers, c-abstractor', managed('c-abstractor')],
  ['mixer', (vision, file) => tryMoai({ vision }, file)],
  ['mixer, d-abstractor', (vision, file) => tryMoai({ vision, projector: 'd-abstractor' }, file)],
];

/** Why a pair is refused: what its error says, and what the README does. */
const reasons: readonly (readonly [message: RegExp, footnote: string])[] = [
  [
    /features that are a square map, as a/,
    'The maps stand below one another, and are no map together: take linear, mlp or resampler.',
  ],
  [/whose rows newlines end/, 'For the same reason there are no rows that a newline could end.'],
  [/with levels to manage/, 'A graph has one output; in a mixture it is one of the levels.'],
  [/which the others can be resized to/, 'Levels are resized to the last one, which is no map here.'],
];

function cell(build: () => Trial): string {
  try {
    const { shape } = build().loss();
    return shape.length === 0 ? 'yes' : `loss of shape ${shape}`;
  } catch (error) {
    const reason = error instanceof ConfigError ? reasons.findIndex(([message]) => message.test(error.message)) : -1;
    if (reason < 0) throw error;
    return `no [${reason + 1}]`;
  }
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((text, column) => text.padEnd(widths[column]!)).join(' | ')} |`;
  const [head, ...body] = rows;
  return [line(head!), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n');
}

/** Every vision part with every projector, and inside of every kind of model that takes one, as Markdown. */
export function readmeMatrix(file: string): string {
  const parts = Object.keys(visionParts) as VisionPart[];
  const rows = parts.map((vision) => [vision, ...columns.map(([, build]) => cell(() => build(vision, file)))]);
  const notes = reasons.map(([, footnote], index) => `${index + 1}. ${footnote}`);
  return `${tableOf([['', ...columns.map(([title]) => title)], ...rows])}\n\n${notes.join('\n')}`;
}
