import { concat, interpolate, type Tensor } from '@ocelli/core-tensor';
import { gridOf } from '../feature-maps.js';

/**
 * Maps of all stages of a convolutional encoder as one map: each enlarged to the first one's grid, bilinear, the image's
 * edges keeping their places, channels side by side. Mini-Gemini's map of high resolution (Li et al. 2024;
 * `mgm/model/multimodal_encoder/openclip_encoder.py`).
 * [batch, widthₛ, rowsₛ, columnsₛ] each → [batch, sum of the widths, rows₀, columns₀]
 */
export function featurePyramid(stages: readonly [Tensor, ...Tensor[]]): Tensor {
  const [first, ...others] = stages;
  const size = gridOf(first);
  return concat([first, ...others.map((map) => interpolate(map, { size, mode: 'bilinear' }))], 1);
}
