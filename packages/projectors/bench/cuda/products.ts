import type { CAbstractorConfig } from '../../src/index.js';

/** Multiplications of a C-Abstractor by its weights for one image of so many features; poolings have next to none. */
export function abstractorProducts(config: CAbstractorConfig, features: number): number {
  const { visionWidth, languageWidth, hiddenSize, outputTokens, depth, mlpDepth } = config;
  const before = stageProducts(visionWidth, hiddenSize, depth) * features;
  const behind = stageProducts(hiddenSize, hiddenSize, depth) * outputTokens;
  const inputs = depth === 0 ? visionWidth : hiddenSize;
  const readout = mlpDepth === 0 ? 0 : inputs * languageWidth + (mlpDepth - 1) * languageWidth ** 2;
  return before + behind + readout * outputTokens;
}

/** For one position: two 1×1 convolutions and a depthwise 3×3 one a block, and a shortcut's where the width changes. */
function stageProducts(inputs: number, outputs: number, depth: number): number {
  const block = (width: number) => width * outputs + 9 * outputs + outputs ** 2;
  if (depth === 0) return 0;
  return block(inputs) + (inputs === outputs ? 0 : inputs * outputs) + (depth - 1) * block(outputs);
}
