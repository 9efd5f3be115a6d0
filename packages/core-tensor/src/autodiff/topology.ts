import type { Tensor } from '../tensor.js';

/** What a tensor is computed from. */
export function dependencies(tensor: Tensor): readonly Tensor[] {
  const { source } = tensor;
  if (source.kind === 'operation') return source.inputs;
  // Outputs of one checkpoint are differentiated together, so each comes after what any of them is computed from.
  if (source.kind === 'segment') return [...source.segment.outputs, ...source.segment.inputs];
  return [];
}

/**
 * Tensors that `roots` depend on, the roots included, each after what it depends on.
 *
 * @param through which dependencies to follow; default: all.
 */
export function topologicalOrder(
  roots: readonly Tensor[],
  through: (tensor: Tensor) => readonly Tensor[] = dependencies,
): Tensor[] {
  const order: Tensor[] = [];
  const entered = new Set<Tensor>();
  // An explicit stack: graphs are deeper than the call stack allows.
  const stack: { tensor: Tensor; pending: readonly Tensor[]; next: number }[] = [];
  const enter = (tensor: Tensor) => {
    if (entered.has(tensor)) return;
    entered.add(tensor);
    stack.push({ tensor, pending: through(tensor), next: 0 });
  };
  for (const root of roots) {
    enter(root);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      if (top.next < top.pending.length) enter(top.pending[top.next++]!);
      else order.push(stack.pop()!.tensor);
    }
  }
  return order;
}
