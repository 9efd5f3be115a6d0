import type { Flops } from '@ocelli/core-tensor';
import type { ModelPlan, PrecisionPlan } from './plan-model.js';

/** A plan as text: what the model is, what it computes, and a table of memory by precision. */
export function formatPlan(plan: ModelPlan): string {
  const lines = [...facts(plan), ['', ''] as const];
  const width = Math.max(...lines.map(([name]) => name.length));
  const head = lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd());
  return [`${plan.name} (${plan.kind})`, '', ...head, ...memoryTable(plan.memory), '', ...notes(plan), ''].join('\n');
}

type Fact = readonly [name: string, value: string];

function facts({ parameters, batch, image, visualTokens, context, flops }: ModelPlan): Fact[] {
  const each = image ? 'image' : 'text';
  return [
    ['parameters', parameters.toLocaleString('en-US')],
    ...(image ? [['image', `${image.height} × ${image.width}`] as const] : []),
    ...(visualTokens
      ? [
          [
            'visual tokens',
            `${visualTokens.count} (${visualTokens.rows} × ${visualTokens.columns}), ${visualTokens.width} wide`,
          ] as const,
        ]
      : []),
    ...(context === undefined ? [] : [['context', `${context} tokens`] as const]),
    ['batch', `${batch}`],
    [`FLOPs per ${each}`, formatFlops(flops.forward)],
    ...(flops.perToken ? [['FLOPs per token', formatFlops(flops.perToken)] as const] : []),
    [`FLOPs per ${each} in training`, formatFlops(flops.training)],
  ];
}

function formatFlops({ matmul, convolution, elementwise }: Flops): string {
  return `${formatAmount(matmul + convolution)} in products, ${formatAmount(elementwise)} elementwise`;
}

/** `382 G`, `1.21 T`. */
export function formatAmount(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
  const index = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  const number = value / 1000 ** index;
  const text = Number.isInteger(number) && index === 0 ? String(number) : number.toPrecision(3);
  // What rounds to a thousand belongs to the next unit.
  if (Number(text) >= 1000 && index < units.length - 1) return formatAmount(1000 ** (index + 1));
  return units[index] === '' ? text : `${text} ${units[index]}`;
}

function memoryTable(memory: readonly PrecisionPlan[]): string[] {
  const row = (name: string, value: (plan: PrecisionPlan) => number | undefined) => [
    name,
    ...memory.map((plan) => {
      const bytes = value(plan);
      return bytes === undefined ? '–' : `${(bytes / 1e9).toFixed(2)} GB`;
    }),
  ];
  const hasCache = memory.some(({ inference }) => inference.cache > 0);
  const rows = [
    ['memory', ...memory.map(({ precision }) => precision)],
    row('inference', ({ inference }) => inference.total),
    row('  weights', ({ inference }) => inference.weights),
    ...(hasCache ? [row('  keys and values', ({ inference }) => inference.cache)] : []),
    row('  activations', ({ inference }) => inference.activations),
    row('training', ({ training }) => training?.total),
    row('  weights', ({ training }) => training?.weights),
    row('  gradients', ({ training }) => training?.gradients),
    row('  optimizer', ({ training }) => training?.optimizer),
    row('  activations', ({ training }) => training?.activations),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows.map((cells) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('   '),
  );
}

function notes({ kind, memory }: ModelPlan): string[] {
  const adapted = memory.find(({ training }) => training?.loraRank !== null && training !== null);
  const isMixed = memory.some(({ training }) => training?.loraRank === null);
  const ranks = adapted ? `adapters of rank ${adapted.training!.loraRank} on all linear layers` : '';
  return [
    'A multiplication and an addition are two FLOPs. Memory is an estimate: AdamW without recomputation of activations.',
    ...(kind === 'vision' ? ["Features are those that projectors get: blocks behind them don't run."] : []),
    ...(adapted ? [`Training ${isMixed ? 'under int8 and int4 is of' : 'is of'} ${ranks}.`] : []),
    ...(memory.some(({ precision }) => precision === 'bfloat16' || precision === 'float16')
      ? [`16 bits: activations too${isMixed ? '; the optimizer holds a float32 copy of what trains' : ''}.`]
      : []),
    ...(memory.some(({ precision }) => precision === 'int8' || precision === 'int4')
      ? ['int8, int4: weights of linear layers in blocks of 32, all else float32.']
      : []),
  ];
}
