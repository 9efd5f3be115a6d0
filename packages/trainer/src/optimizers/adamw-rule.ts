import { add, div, mul, sqrt, sub, type Tensor } from '@ocelli/core-tensor';

/** Constants of an AdamW optimizer. */
export interface AdamWConstants {
  /** Decay rates of the two moments. */
  readonly betas: readonly [number, number];
  readonly epsilon: number;
}

/** Tensors of one update: four of the parameter's shape, and scalars that change from step to step. */
export interface AdamWTensors {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly firstMoment: Tensor;
  readonly secondMoment: Tensor;
  /** Factor of the gradient. */
  readonly gradientScale: Tensor;
  /** 1 − learning rate · weight decay. */
  readonly decay: Tensor;
  /** See {@link adamWScalars}. */
  readonly stepSize: Tensor;
  readonly rootCorrection: Tensor;
}

/** Scalars of step t (from 1) that depend on the learning rate and the bias corrections. */
export interface AdamWScalars {
  readonly decay: number;
  readonly stepSize: number;
  readonly rootCorrection: number;
}

/** One published variant of AdamW. */
export interface AdamWRule {
  scalars(step: number, learningRate: number, weightDecay: number, constants: AdamWConstants): AdamWScalars;
  /** New parameter, first and second moment. Elementwise. */
  update(tensors: AdamWTensors, constants: AdamWConstants): readonly [Tensor, Tensor, Tensor];
}

function moments(
  { gradient, gradientScale, firstMoment, secondMoment }: AdamWTensors,
  { betas: [beta1, beta2] }: AdamWConstants,
): readonly [first: Tensor, second: Tensor] {
  const scaled = mul(gradient, gradientScale);
  return [
    add(mul(firstMoment, beta1), mul(scaled, 1 - beta1)),
    add(mul(secondMoment, beta2), mul(mul(scaled, scaled), 1 - beta2)),
  ];
}

function corrections(step: number, [beta1, beta2]: readonly [number, number]): readonly [number, number] {
  return [1 - beta1 ** step, 1 - beta2 ** step];
}

/** Published variants of AdamW (Loshchilov & Hutter 2019) by the library they come from. */
export const adamWRules = {
  /**
   * `torch.optim.AdamW`: p ← p(1−lr·wd) − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε). Decays before the step; ε is added to the
   * corrected root.
   */
  torch: {
    scalars: (step, learningRate, weightDecay, { betas }) => {
      const [first, second] = corrections(step, betas);
      return {
        decay: 1 - learningRate * weightDecay,
        stepSize: learningRate / first,
        rootCorrection: 1 / Math.sqrt(second),
      };
    },
    update: (tensors, constants) => {
      const [first, second] = moments(tensors, constants);
      const root = add(mul(sqrt(second), tensors.rootCorrection), constants.epsilon);
      const parameter = sub(mul(tensors.parameter, tensors.decay), mul(tensors.stepSize, div(first, root)));
      return [parameter, first, second];
    },
  },
  /**
   * `transformers.AdamW`: p ← (p − lr·√(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)) · (1−lr·wd). Decays after the step; ε is added to
   * the root before its correction.
   */
  transformers: {
    scalars: (step, learningRate, weightDecay, { betas }) => {
      const [first, second] = corrections(step, betas);
      return {
        decay: 1 - learningRate * weightDecay,
        stepSize: (learningRate * Math.sqrt(second)) / first,
        rootCorrection: 1,
      };
    },
    update: (tensors, constants) => {
      const [first, second] = moments(tensors, constants);
      const step = mul(tensors.stepSize, div(first, add(sqrt(second), constants.epsilon)));
      return [mul(sub(tensors.parameter, step), tensors.decay), first, second];
    },
  },
} as const satisfies Readonly<Record<string, AdamWRule>>;

export type AdamWRuleName = keyof typeof adamWRules;
