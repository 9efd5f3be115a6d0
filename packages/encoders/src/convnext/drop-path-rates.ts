import type { ConvNextConfig } from './config.js';

/**
 * Rate of stochastic depth of each block, by stage: from 0 in the first block of all evenly up to the configured rate in
 * the last. Source: Hugging Face `ConvNextEncoder`, timm `ConvNeXt`.
 */
export function dropPathRates({ depths, dropPathRate }: Pick<ConvNextConfig, 'depths' | 'dropPathRate'>): number[][] {
  const last = depths.reduce((sum, depth) => sum + depth, 0) - 1;
  let block = 0;
  return depths.map((depth) => Array.from({ length: depth }, () => (last > 0 ? (dropPathRate * block++) / last : 0)));
}
