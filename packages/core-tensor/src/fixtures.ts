import type { ParityChecks } from './parity/compare.js';
import { convolutionOperators } from './parity/ops/convolution.js';
import { gridSampleOperators, interpolationOperators, poolingOperators } from './parity/ops/image.js';
import { miscOperators } from './parity/ops/misc.js';
import { normalizationOperators } from './parity/ops/normalization.js';
import { operatorCheck } from './parity/ops/operator-case.js';
import { checkQuantization } from './parity/quantization.js';
import { checkStoredDTypes } from './parity/safetensors-dtypes.js';

/** Kinds of fixtures that tensors answer for. */
export const parityChecks: ParityChecks = {
  'backbones/ops_conv': operatorCheck(convolutionOperators),
  'backbones/ops_grid_sample': operatorCheck(gridSampleOperators),
  'backbones/ops_interpolate': operatorCheck(interpolationOperators),
  'backbones/ops_misc': operatorCheck(miscOperators),
  'backbones/ops_norm': operatorCheck(normalizationOperators),
  'backbones/ops_pool': operatorCheck(poolingOperators),
  'backbones/quant': checkQuantization,
  'backbones/safetensors_dtypes': checkStoredDTypes,
};
