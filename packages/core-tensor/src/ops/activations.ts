import type { Tensor } from '../tensor.js';
import { abs, add, div, erf, exp, log, maximum, mul, neg, relu, sigmoid, square, tanh } from './arithmetic.js';
import { clamp } from './compare.js';

/** x · Φ(x), the exact Gaussian error linear unit (Hendrycks & Gimpel 2016). */
export function gelu(x: Tensor): Tensor {
  return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
}

/** ½x(1 + tanh(√(2/π)(x + 0.044715x³))): `gelu_pytorch_tanh` and `gelu_new` of Hugging Face. */
export function geluTanh(x: Tensor): Tensor {
  const inner = mul(Math.sqrt(2 / Math.PI), add(x, mul(0.044715, mul(x, square(x)))));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
}

/** x · σ(1.702x), CLIP's `quick_gelu`. */
export function quickGelu(x: Tensor): Tensor {
  return mul(x, sigmoid(mul(x, 1.702)));
}

/** x · σ(x), also called swish. */
export function silu(x: Tensor): Tensor {
  return mul(x, sigmoid(x));
}

/** max(x, 0)². */
export function relu2(x: Tensor): Tensor {
  return square(relu(x));
}

/** ln(1 + eˣ), without overflow. */
export function softplus(x: Tensor): Tensor {
  // Unlike relu, maximum halves its gradient at 0, which makes it σ(x) there too.
  return add(maximum(x, 0), log(add(exp(neg(abs(x))), 1)));
}

/** x · tanh(softplus(x)) (Misra 2019). */
export function mish(x: Tensor): Tensor {
  return mul(x, tanh(softplus(x)));
}

/** x · clamp(x + 3, 0, 6) / 6. */
export function hardswish(x: Tensor): Tensor {
  return div(mul(x, clamp(add(x, 3), { low: 0, high: 6 })), 6);
}

/** Activations by the names that Hugging Face configs use (`hidden_act`). */
export const activations = {
  gelu,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: quickGelu,
  silu,
  swish: silu,
  relu,
  relu2,
  sigmoid,
  tanh,
  mish,
  hardswish,
  softplus,
} as const satisfies Record<string, (x: Tensor) => Tensor>;

/** A name under which {@link activations} has a function. */
export type ActivationName = keyof typeof activations;
