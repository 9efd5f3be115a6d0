import { formatShape, GraphError, ShapeError } from '../errors.js';
import { sameShape } from '../graph/shape.js';
import { add } from '../ops/arithmetic.js';
import type { GradientContext, Primitive } from '../primitives/primitive.js';
import { primitives } from '../primitives/table.js';
import { type Operation, ones, type Tensor, zeros } from '../tensor.js';
import { type CheckpointSegment, replay } from './checkpoint.js';
import { dependencies, topologicalOrder } from './topology.js';

/**
 * Gradients of a scalar with respect to other tensors, as recorded operations (reverse mode).
 *
 * @param of the scalar.
 * @param withRespectTo tensors that `of` was computed from; one it does not depend on gets zeros.
 * @throws ShapeError if `of` is no scalar; GraphError if an operation on the way has no gradient, or a tensor's values
 *   were asked for before, so that it no longer knows how it was computed.
 */
export function gradients(of: Tensor, withRespectTo: readonly Tensor[]): Tensor[] {
  if (of.size !== 1) {
    throw new ShapeError({
      operation: 'gradients',
      expected: 'a tensor of one element to differentiate',
      received: [of.shape],
      remedy: 'Reduce it with sum or mean, or use vectorJacobianProduct with a cotangent.',
    });
  }
  return vectorJacobianProduct([of], [ones(of.shape, of.dtype)], withRespectTo);
}

/**
 * Gradients of Σ⟨outputs, cotangents⟩ with respect to other tensors.
 *
 * @param cotangents one per output, of its shape.
 * @throws ShapeError if a cotangent is missing or of another shape.
 */
export function vectorJacobianProduct(
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  withRespectTo: readonly Tensor[],
): Tensor[] {
  if (outputs.length !== cotangents.length || outputs.some(({ shape }, i) => !sameShape(shape, cotangents[i]!.shape))) {
    throw new ShapeError({
      operation: 'vectorJacobianProduct',
      expected: `a cotangent of the shape of each output, ${outputs.map(({ shape }) => formatShape(shape)).join(' and ')}`,
      received: cotangents.map(({ shape }) => shape),
    });
  }
  for (const output of outputs) {
    if (output.source.kind === 'device' && !withRespectTo.includes(output)) throw computedBefore(output);
  }
  const pass = new BackwardPass(withRespectTo);
  outputs.forEach((output, index) => {
    pass.accumulate(output, cotangents[index]!);
  });
  pass.run(outputs);
  return withRespectTo.map((tensor) => pass.cotangentOf(tensor) ?? zeros(tensor.shape, tensor.dtype));
}

/** Gradients with respect to what a function of no arguments computes, as `valueAndGrad` returns them. */
export interface ValueAndGrads<Auxiliary> {
  /** The scalar the function returned. */
  readonly value: Tensor;
  /** One gradient per parameter, under its name. */
  readonly grads: Readonly<Record<string, Tensor>>;
  /** What the function returned beside the scalar. */
  readonly aux: Auxiliary;
}

/**
 * Value of a function and its gradients with respect to named parameters.
 *
 * @param fn returns a scalar, or a pair of a scalar and anything else (metrics, for instance).
 * @param parameters for example `model.trainableParameters()`.
 */
export function valueAndGrad<Auxiliary = undefined>(
  fn: () => Tensor | readonly [Tensor, Auxiliary],
  parameters: Readonly<Record<string, Tensor>>,
): ValueAndGrads<Auxiliary> {
  const result = fn();
  const [value, aux] = Array.isArray(result)
    ? (result as [Tensor, Auxiliary])
    : [result as Tensor, undefined as Auxiliary];
  const names = Object.keys(parameters);
  const list = gradients(value, Object.values(parameters));
  return { value, grads: Object.fromEntries(names.map((name, index) => [name, list[index]!])), aux };
}

function computedBefore(tensor: Tensor): GraphError {
  return new GraphError({
    operation: 'gradients',
    expected: 'tensors that know how they were computed',
    received: `a tensor of shape ${formatShape(tensor.shape)} whose values were asked for before`,
    remedy:
      'Take gradients first and read data afterwards, or pass the tensor through stopGradient if it is meant as a constant.',
  });
}

/** One sweep from outputs to inputs. */
class BackwardPass {
  private readonly cotangents = new Map<Tensor, Tensor>();
  private readonly wanted: ReadonlySet<Tensor>;
  /**
   * Whether a tensor depends on a wanted one. Its keys are the tensors that some sweep has taken on; a replayed segment
   * is swept on its own and stops at those, which the enclosing sweep reaches later.
   */
  private readonly relevant = new Map<Tensor, boolean>();

  constructor(withRespectTo: readonly Tensor[]) {
    this.wanted = new Set(withRespectTo);
  }

  cotangentOf(tensor: Tensor): Tensor | undefined {
    return this.cotangents.get(tensor);
  }

  accumulate(tensor: Tensor, cotangent: Tensor): void {
    const sum = this.cotangents.get(tensor);
    this.cotangents.set(tensor, sum ? add(sum, cotangent) : cotangent);
  }

  run(outputs: readonly Tensor[]): void {
    const order = topologicalOrder(outputs, (tensor) => (this.relevant.has(tensor) ? [] : dependencies(tensor))).filter(
      (tensor) => !this.relevant.has(tensor),
    );
    for (const tensor of order) {
      const isRelevant =
        this.wanted.has(tensor) ||
        this.lostPath(tensor) ||
        dependencies(tensor).some((each) => this.relevant.get(each));
      this.relevant.set(tensor, isRelevant);
    }
    const outputsOf = new Map<CheckpointSegment, Tensor[]>();
    for (const tensor of order) {
      if (tensor.source.kind !== 'segment') continue;
      const { segment } = tensor.source;
      outputsOf.set(segment, [...(outputsOf.get(segment) ?? []), tensor]);
    }
    for (const tensor of order.reverse()) {
      const { source } = tensor;
      if (source.kind === 'segment') {
        const wrapped = outputsOf.get(source.segment)!;
        // At the first of a segment's outputs, the readers of all of them have been swept.
        if (wrapped[0] === tensor) this.replaySegment(source.segment, wrapped);
      }
      const cotangent = this.cotangents.get(tensor);
      if (!cotangent || !this.relevant.get(tensor)) continue;
      if (source.kind === 'operation') this.applyRule(tensor, source, cotangent);
      else if (this.lostPath(tensor)) throw computedBefore(tensor);
    }
  }

  /** Whether a tensor was computed from a wanted one before, and no longer knows how. */
  private lostPath({ source }: Tensor): boolean {
    return source.kind === 'device' && source.history?.comesFrom(this.wanted) === true;
  }

  private applyRule(tensor: Tensor, { op, inputs, attributes }: Operation, cotangent: Tensor): void {
    const rule = (primitives[op] as Primitive<unknown>).gradient;
    if (!rule) {
      throw new GraphError({
        operation: 'gradients',
        expected: 'a path of differentiable operations to each parameter',
        received: `${op}, which has no gradient`,
        remedy: 'Differentiate with respect to something else, or leave the operation out of the loss.',
      });
    }
    const context: GradientContext<unknown> = {
      inputs,
      output: tensor,
      cotangent,
      attributes,
      needs: (index) => this.relevant.get(inputs[index]!) === true,
    };
    rule(context).forEach((gradient, index) => {
      if (gradient && context.needs(index)) this.accumulate(inputs[index]!, gradient);
    });
  }

  private replaySegment(segment: CheckpointSegment, wrapped: readonly Tensor[]): void {
    const known = wrapped.flatMap((tensor) => {
      const cotangent = this.relevant.get(tensor) ? this.cotangents.get(tensor) : undefined;
      return cotangent && tensor.source.kind === 'segment' ? [{ index: tensor.source.index, cotangent }] : [];
    });
    if (known.length === 0) return;
    const outputs = replay(
      segment,
      known.map(({ cotangent }) => cotangent),
    );
    for (const { index, cotangent } of known) this.accumulate(outputs[index]!, cotangent);
    this.run(known.map(({ index }) => outputs[index]!));
  }
}
