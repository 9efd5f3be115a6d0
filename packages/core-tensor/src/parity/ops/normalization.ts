import {
  type BatchNormOptions,
  batchNorm,
  groupNorm,
  l2Normalize,
  layerNorm,
  layerNorm2d,
  rmsNorm,
} from '../../ops/normalization.js';
import { type OperatorCase, type OperatorTable, renamed, required } from './operator-case.js';

type Affine = Pick<BatchNormOptions, 'weight' | 'bias' | 'epsilon'>;

function affineOf({ arguments: given, parameters }: OperatorCase): Affine {
  return { ...renamed<Affine>(given, { eps: 'epsilon' }), weight: parameters.weight, bias: parameters.bias };
}

const epsilonOf = ({ arguments: given }: OperatorCase) => renamed<{ epsilon?: number }>(given, { eps: 'epsilon' });

/** `torch.nn.functional` norms and LLaMA's RMS norm. */
export const normalizationOperators: OperatorTable = {
  layer_norm: (each) => {
    const shape = each.arguments.normalized_shape as readonly number[] | undefined;
    return layerNorm(required(each.inputs, 'x'), { ...affineOf(each), ...(shape && { axes: shape.length }) });
  },
  'layer_norm over the channel axis of N x C x H x W': (each) =>
    layerNorm2d(required(each.inputs, 'x'), affineOf(each)),
  rms_norm: (each) => rmsNorm(required(each.inputs, 'x'), required(each.parameters, 'weight'), epsilonOf(each)),
  group_norm: (each) => groupNorm(required(each.inputs, 'x'), each.arguments.num_groups as number, affineOf(each)),
  batch_norm: (each) => {
    const { y, runningMean, runningVariance } = batchNorm(required(each.inputs, 'x'), {
      ...affineOf(each),
      ...renamed<Pick<BatchNormOptions, 'training' | 'momentum'>>(each.arguments, {
        training: 'training',
        momentum: 'momentum',
      }),
      runningMean: required(each.parameters, 'running_mean'),
      runningVariance: required(each.parameters, 'running_var'),
    });
    return { y, running_mean: runningMean, running_var: runningVariance };
  },
  normalize: (each) =>
    l2Normalize(required(each.inputs, 'x'), (each.arguments.dim as number | undefined) ?? -1, epsilonOf(each)),
};
