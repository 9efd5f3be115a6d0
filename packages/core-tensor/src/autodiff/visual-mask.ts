import type { Tensor } from '../tensor.js';
import { recordingContext } from './recording-context.js';

const context = recordingContext<Tensor>('withVisualMask');

/**
 * Records a function that works on sequences in which some tokens are visual: adapters on a decoder's layers that treat
 * these differently look at the mask. Parts wrapped in `checkpoint` remember it.
 *
 * @param mask bool [batch, tokens]; `undefined` where no token is visual, as in decoding steps
 * @throws GraphError if the function is async: what it records later would not see the mask
 */
export function withVisualMask<Result>(mask: Tensor | undefined, fn: () => Result): Result {
  return context.run(mask, fn);
}

/** The mask that is in force where an operation is being recorded, bool [batch, tokens]. */
export function visualMask(): Tensor | undefined {
  return context.current();
}
