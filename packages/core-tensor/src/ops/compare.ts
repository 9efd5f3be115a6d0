import { asTensors, record, type Tensor, type TensorLike } from '../tensor.js';

/** Whether a equals b, elementwise, broadcasting. */
export function equal(a: TensorLike, b: TensorLike): Tensor {
  return record('equal', asTensors(a, b), {});
}

/** Whether a differs from b, elementwise, broadcasting. */
export function notEqual(a: TensorLike, b: TensorLike): Tensor {
  return logicalNot(equal(a, b));
}

/** a < b, elementwise, broadcasting. */
export function less(a: TensorLike, b: TensorLike): Tensor {
  return record('less', asTensors(a, b), {});
}

/** a ≤ b, elementwise, broadcasting. */
export function lessEqual(a: TensorLike, b: TensorLike): Tensor {
  return record('lessEqual', asTensors(a, b), {});
}

/** a > b, elementwise, broadcasting. */
export function greater(a: TensorLike, b: TensorLike): Tensor {
  return less(b, a);
}

/** a ≥ b, elementwise, broadcasting. */
export function greaterEqual(a: TensorLike, b: TensorLike): Tensor {
  return lessEqual(b, a);
}

/** Both true, elementwise, broadcasting. */
export function logicalAnd(a: Tensor, b: Tensor): Tensor {
  return record('logicalAnd', [a, b], {});
}

/** Either true, elementwise, broadcasting. */
export function logicalOr(a: Tensor, b: Tensor): Tensor {
  return record('logicalOr', [a, b], {});
}

/** Not x, elementwise. */
export function logicalNot(x: Tensor): Tensor {
  return record('logicalNot', [x], {});
}

/** a where the condition holds, b elsewhere; all three broadcast. */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  return record('where', [condition, ...asTensors(a, b)], {});
}

/** x limited to [low, high]; the gradient passes at the bounds, as in PyTorch. */
export function clamp(x: Tensor, { low, high }: { low?: number; high?: number }): Tensor {
  let limited = x;
  if (low !== undefined) limited = where(lessEqual(low, limited), limited, low);
  if (high !== undefined) limited = where(lessEqual(limited, high), limited, high);
  return limited;
}
