import type { ModelPlan, PrecisionPlan } from './plan-model.js';
import { formatFlops, formatGigabytes, textTable } from './text-table.js';

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

function memoryTable(memory: readonly PrecisionPlan[]): string[] {
  const row = (name: string, value: (plan: PrecisionPlan) => number | undefined) => [
    name,
    ...memory.map((plan) => formatGigabytes(value(plan))),
  ];
  const hasCache = memory.some(({ inference }) => inference.cache > 0);
  return textTable([
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
  ]);
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
