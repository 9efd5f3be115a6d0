import { describeMismatches, nameRanges } from '@ocelli/core-tensor';
import { formatAmount } from '../plan/text-table.js';
import { fits } from './describe-model.js';
import type { AdapterFacts, Amount, Fit, Inspection, ModelFacts } from './inspection.js';

/** What was found, as text. */
export function formatInspection(inspection: Inspection, { withTensors }: { readonly withTensors: boolean }): string {
  const { model, adapter, fit, files, dtypes, tensors, problem, note } = inspection;
  const sections = [
    [inspection.path],
    aligned(headline(inspection)),
    ...(model ? [['structure', ...structureLines(model)]] : []),
    columns(
      ['file', 'size', 'tensors', 'dtypes'],
      files.map((each) => [each.name, bytes(each.fileBytes), `${each.tensors}`, each.dtypes.join(', ')]),
    ),
    columns(
      ['dtype', 'tensors', 'elements', 'size'],
      [
        ...dtypes.map((each) => [each.dtype, ...amounts(each)]),
        ...(dtypes.length > 1 ? [['total', ...amounts(total(dtypes))]] : []),
      ],
    ),
    // Of an unknown model the tensors are all there is to see.
    ...(withTensors || (!model && !adapter)
      ? [
          columns(
            ['tensor', 'dtype', 'shape'],
            tensors.map(({ names, dtype, shape }) => [names, dtype, `[${shape.join(', ')}]`]),
            'left',
          ),
        ]
      : []),
    ...(fit ? [fitLines(fit, adapter)] : []),
    ...(problem === null ? [] : [[`problem: ${problem}`]]),
    ...(note === null ? [] : [[note]]),
  ];
  return `${sections
    .map((lines) => lines.join('\n'))
    .filter((section) => section !== '')
    .join('\n\n')}\n`;
}

type Fact = readonly [name: string, value: string];

function headline({ architecture, model, adapter, quantization }: Inspection): Fact[] {
  return [
    ...(architecture === null ? [] : [['architecture', architecture] as const]),
    ...(model
      ? ([
          ['model', model.kind],
          ['parameters', count(model.parameters)],
        ] as const)
      : []),
    ...(adapter ? adapterFacts(adapter) : []),
    ...(quantization
      ? ([
          [
            'quantized',
            `${quantization.weights} weights, ${quantization.format}${quantization.isSupported ? '' : ', which cannot be loaded'}`,
          ],
        ] as const)
      : []),
  ];
}

function adapterFacts({ kind, base, rank, alpha, targets }: AdapterFacts): Fact[] {
  return [
    [
      'adapter',
      `${kind} of rank ${rank}, alpha ${alpha}, on ${targets.join(', ') || 'the layers usual for the model'}`,
    ],
    ['base model', base ?? 'not named'],
  ];
}

function structureLines({ config }: ModelFacts): string[] {
  const entries = Object.entries(config).map(([name, value]) => `${name} ${plain(value)}`);
  const lines: string[] = [];
  for (const entry of entries) {
    const last = lines.at(-1);
    if (last === undefined || last.length + entry.length > 96) lines.push(`  ${entry}`);
    else lines[lines.length - 1] = `${last}, ${entry}`;
  }
  return lines;
}

function plain(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

function fitLines(fit: Fit, adapter: AdapterFacts | null): string[] {
  const whole = adapter
    ? 'Every layer of the adapter is in the base model, and its tensors fit.'
    : 'Every parameter has its tensor.';
  return [
    ...(fits(fit) ? [whole] : describeMismatches(fit)),
    ...(fit.kept.length > 0 ? [`absent, and may be: ${nameRanges(fit.kept).join(', ')}`] : []),
    ...(fit.ignored.length > 0
      ? [`of no use to the model: ${fit.ignored.length} tensors, such as ${nameRanges(fit.ignored)[0]}`]
      : []),
  ];
}

function amounts({ tensors, elements, bytes: size }: Amount): string[] {
  return [`${tensors}`, count(elements), bytes(size)];
}

function total(parts: readonly Amount[]): Amount {
  const sum = (field: keyof Amount) => parts.reduce((all, part) => all + part[field], 0);
  return { tensors: sum('tensors'), elements: sum('elements'), bytes: sum('bytes') };
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function bytes(value: number): string {
  return `${formatAmount(value)}B`;
}

function aligned(facts: readonly Fact[]): string[] {
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

/** A table; numbers stand at the right of their columns, unless all columns are `left`. */
function columns(head: readonly string[], rows: readonly (readonly string[])[], align?: 'left'): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const isNumber = head.map((_, column) => !align && rows.every((row) => /^[\d,.]/.test(row[column]!)) && column > 0);
  return all.map((row) =>
    row
      .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}
