import type { EagleExpert } from '../stages/eagle.js';
import { millions, type PublishedFigure } from './published-variant.js';

/** The norm and the classifier of 1000 classes behind ConvNeXt-XXL, which Eagle counts and nothing uses. */
export const classifierOfConvNext = 2 * 3072 + 3072 * 1000 + 1000;

/** Widths of the experts' maps. */
const widths: Readonly<Record<EagleExpert, number>> = {
  clip: 1024,
  convnext: 3072,
  sam: 1024,
  eva02: 1024,
  pix2struct: 1536,
};

/** Eagle's projector, `mlp2x_gelu`. */
export const eagleProjector = { type: 'mlp', depth: 2, activation: 'gelu', weightStart: 'uniform' } as const;

/** Channels of experts side by side. */
export function channelsOf(experts: readonly EagleExpert[]): number {
  return experts.reduce((sum, expert) => sum + widths[expert], 0);
}

/**
 * The number of parameters of a mixture in figure 4: encoders, and a projector of two layers whose width is 1024
 * throughout, which the models do not have.
 */
export function searchFigures(experts: readonly EagleExpert[], printed: string): PublishedFigure {
  return {
    ...millions(printed, 'paper, figure 4', { parts: experts }),
    // The last digit differs for some: by up to 60 thousand from the sum of the parts.
    tolerance: 1e5,
    beside: classifierOfConvNext + (channelsOf(experts) + 1) * 1024 + 1025 * 1024,
    note: "counts ConvNeXt's unused classifier, and a projector of width 1024 in place of the language model's",
  };
}
