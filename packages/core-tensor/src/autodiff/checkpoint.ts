import { isFloating } from '../dtype.js';
import { record, Tensor } from '../tensor.js';
import { rememberContexts } from './recording-context.js';

/** A function whose intermediate values are computed again in the backward pass instead of being kept. */
export interface CheckpointSegment {
  readonly run: (inputs: readonly Tensor[]) => readonly Tensor[];
  readonly inputs: readonly Tensor[];
  /** The outputs of the first run. */
  readonly outputs: readonly Tensor[];
}

/**
 * Wraps a function (or a module's `forward`) so that its backward pass recomputes what the forward pass computed:
 * peak memory falls from all intermediate values to those of one wrapped part at a time, for one more forward pass.
 * Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost".
 *
 * @example
 * ```ts
 * for (const block of this.blocks) x = checkpoint((h: Tensor) => block.forward(h))(x);
 * ```
 */
export function checkpoint<Inputs extends readonly Tensor[], Output extends Tensor | readonly Tensor[]>(
  fn: (...inputs: Inputs) => Output,
): (...inputs: Inputs) => Output {
  return (...inputs) => {
    const first = fn(...inputs);
    const single = first instanceof Tensor;
    const outputs = single ? [first] : (first as readonly Tensor[]);
    const restore = rememberContexts();
    const run = (replayed: readonly Tensor[]): readonly Tensor[] => {
      const again = restore(() => fn(...(replayed as unknown as Inputs)));
      return again instanceof Tensor ? [again] : (again as readonly Tensor[]);
    };
    const segment: CheckpointSegment = { run, inputs, outputs };
    const wrapped = outputs.map(
      ({ shape, dtype }, index) => new Tensor(shape, dtype, { kind: 'segment', segment, index }),
    );
    return (single ? wrapped[0]! : wrapped) as Output;
  };
}

/** @internal Runs a segment again, not before the cotangents of its outputs are known. */
export function replay(segment: CheckpointSegment, cotangents: readonly Tensor[]): readonly Tensor[] {
  return segment.run(
    segment.inputs.map((input) => (isFloating(input.dtype) ? record('barrier', [input, ...cotangents], {}) : input)),
  );
}
