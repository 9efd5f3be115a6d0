import {
  broadcastTo,
  concat,
  div,
  interpolate,
  maximum,
  mean,
  reshape,
  sqrt,
  square,
  sub,
  type Tensor,
  tensor,
  transpose,
} from '@ocelli/core-tensor';
import { type PatchGridOptions, variablePatchGrid } from './patch-grid.js';

/**
 * Flattened patches of images that are tensors already, as `Pix2StructImageProcessor` of Hugging Face makes them but
 * without padding: each image is standardised over all of its values, resized to whole patches (bilinear with
 * antialiasing), and cut. pixels [batch, channels, height, width] → [batch, rows · columns, 2 + patchSize² · channels].
 */
export function patchesOfPixels(pixels: Tensor, options: PatchGridOptions): Tensor {
  const { patchSize } = options;
  const [batch, channels, height, width] = pixels.shape as [number, number, number, number];
  const [rows, columns] = variablePatchGrid(height, width, options);
  const size = [rows * patchSize, columns * patchSize];
  const resized = interpolate(standardise(pixels), { size, mode: 'bilinear', antialias: true });
  const cut = reshape(resized, [batch, channels, rows, patchSize, columns, patchSize]);
  const tokens = rows * columns;
  const patches = reshape(transpose(cut, [0, 2, 4, 3, 5, 1]), [batch, tokens, patchSize ** 2 * channels]);
  const places = Float32Array.from({ length: tokens * 2 }, (_, index) => {
    const token = Math.floor(index / 2);
    return 1 + (index % 2 === 0 ? Math.floor(token / columns) : token % columns);
  });
  return concat([broadcastTo(tensor(places, [tokens, 2]), [batch, tokens, 2]), patches], -1);
}

/** Mean 0 and deviation 1 over all values of an image; the deviation counts as at least 1 / √(values). */
function standardise(pixels: Tensor): Tensor {
  const over = { axes: [1, 2, 3], keepDims: true };
  const centred = sub(pixels, mean(pixels, over));
  const deviation = sqrt(mean(square(centred), over));
  return div(centred, maximum(deviation, (pixels.size / pixels.shape[0]!) ** -0.5));
}
