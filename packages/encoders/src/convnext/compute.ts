import type { ConvNextConfig } from './config.js';

/** Multiply-accumulate operations of one image; twice as many floating-point operations. */
export interface ConvNextMacs {
  readonly stem: number;
  /** Of the blocks of each stage. */
  readonly stages: readonly number[];
  /** Of the downsampling layer of each stage; 0 in the first. */
  readonly downsampling: readonly number[];
  readonly total: number;
}

/**
 * Multiply-accumulate operations of convolutions and linear layers for one image: norms, activations and layer scales
 * are not counted. Of a block of width C on N cells, (k²·C + 8·C²)·N (Ge et al. 2024, section 3.1, with the feed-forward
 * part that it leaves out).
 *
 * @param height of the image in pixels
 */
export function convNextMacs(config: ConvNextConfig, height: number, width: number = height): ConvNextMacs {
  const { numChannels, patchSize, depths, hiddenSizes, kernelSize } = config;
  const cells = (stage: number) => {
    const stride = patchSize * 2 ** stage;
    return Math.floor(height / stride) * Math.floor(width / stride);
  };
  const stem = patchSize ** 2 * numChannels * hiddenSizes[0]! * cells(0);
  const stages = hiddenSizes.map((size, stage) => {
    return depths[stage]! * (kernelSize ** 2 * size + 8 * size ** 2) * cells(stage);
  });
  const downsampling = hiddenSizes.map((size, stage) => {
    return stage === 0 ? 0 : 4 * hiddenSizes[stage - 1]! * size * cells(stage);
  });
  const total = [...stages, ...downsampling].reduce((sum, each) => sum + each, stem);
  return { stem, stages, downsampling, total };
}
