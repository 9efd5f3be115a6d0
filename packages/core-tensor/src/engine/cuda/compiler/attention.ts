import type { DType } from '../../../dtype.js';
import type { AttentionProblem } from '../codegen/attention/problem.js';
import { matchBackward } from './attention-backward.js';
import { matchForward } from './attention-forward.js';
import type { LiveGraph } from './live-graph.js';

/** Scaled dot-product attention in a graph, found as what `attention` of the operations records. */
export interface Attention {
  readonly problem: AttentionProblem;
  /** Roots. */
  readonly q: number;
  readonly k: number;
  readonly v: number;
  readonly mask?: number;
  readonly bias?: number;
  /** The product of weights and values. */
  readonly out: number;
  readonly backward?: AttentionGradients;
}

/** The nodes of its gradients; those that nobody asked for are missing. */
export interface AttentionGradients {
  /** Root of the gradient of `out`. */
  readonly dOut: number;
  readonly dq?: number;
  readonly dk?: number;
  readonly dv?: number;
}

/** All attentions of a graph. */
export interface Attentions {
  readonly all: readonly Attention[];
  /** Nodes that are computed inside, and are nowhere in memory. */
  readonly inner: ReadonlySet<number>;
}

/**
 * Finds the attentions whose weights nothing else looks at, so that the weights, [queries, keys] for each head, need not be in
 * memory.
 *
 * @param fits whether there are kernels for it
 */
export function findAttentions(
  graph: LiveGraph,
  dtypeOf: (node: number) => DType,
  fits: (problem: AttentionProblem) => boolean,
): Attentions {
  const inner = new Set<number>();
  const all = graph.operations.flatMap((index) => {
    const node = graph.operation(index)!;
    if (node.op !== 'softmax' || node.shape.length !== 4) return [];
    const found = matchForward(graph, index, dtypeOf);
    const backward = found && matchBackward(graph, found);
    if (!found || !backward || !fits(found.attention.problem)) return [];
    for (const each of [...found.inner, ...backward.inner]) inner.add(each);
    const { gradients } = backward;
    return [{ ...found.attention, ...(gradients ? { backward: gradients } : {}) }];
  });
  return { all, inner };
}
