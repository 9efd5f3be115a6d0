import type { ClipVisionConfig } from './config.js';

/**
 * Multiply-accumulate operations of the tower for one image; twice as many floating-point operations. Counted are the
 * patch embedding and, in each block, four projections, the feed-forward part, and attention over all tokens.
 *
 * @param height of the image in pixels
 */
export function clipVisionMacs(config: ClipVisionConfig, height: number, width: number = height): number {
  const { hiddenSize, intermediateSize, numHiddenLayers, numChannels, patchSize } = config;
  const patches = Math.floor(height / patchSize) * Math.floor(width / patchSize);
  const tokens = patches + 1;
  const embedding = numChannels * patchSize ** 2 * hiddenSize * patches;
  const linear = (4 * hiddenSize ** 2 + 2 * hiddenSize * intermediateSize) * tokens;
  const attention = 2 * tokens ** 2 * hiddenSize;
  return embedding + numHiddenLayers * (linear + attention);
}
