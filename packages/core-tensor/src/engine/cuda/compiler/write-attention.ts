import { attentionBackward, attentionForward } from '../codegen/attention.js';
import type { Attention } from './attention.js';
import type { Step } from './program-plan.js';
import type { Values } from './values.js';
import { bindLaunches } from './write-launches.js';

/** One direction of an attention. */
export interface AttentionPart {
  readonly attention: Attention;
  readonly direction: 'forward' | 'backward';
}

/** The launches of an attention or of its gradients. */
export function writeAttention(
  { attention, direction }: AttentionPart,
  { values, statistics }: { readonly values: Values; readonly statistics: Map<number, number> },
): Step[] {
  const { problem, q, k, v, mask, bias, out, backward } = attention;
  const { batch, heads, queries, keys, keyHeads, width, dtype } = problem;
  const terms = [mask, bias].filter((node) => node !== undefined).map(values.of);
  const operands = [q, k, v].map(values.of);
  const known = statistics.get(out) ?? values.temporary([batch, heads, queries, 2], 'float32');
  statistics.set(out, known);
  if (direction === 'forward') {
    const inputs = [...operands, ...terms];
    return bindLaunches(attentionForward(problem), { inputs, outputs: [values.of(out), known] }, values);
  }
  const { dOut, dq, dk, dv } = backward!;
  const inputs = [...operands, values.of(out), values.of(dOut), known, ...terms];
  // The kernels compute all gradients; those that nobody asked for go to memory that is free right after.
  const sizes = [queries * heads, keys * keyHeads, keys * keyHeads];
  const outputs = [dq, dk, dv].map((node, position) =>
    node === undefined ? values.temporary([batch, sizes[position]!, width], dtype) : values.of(node),
  );
  return bindLaunches(attentionBackward(problem), { inputs, outputs }, values);
}
