import { countGraphFlops, recordGraph, trainOnly } from '@ocelli/core-tensor';
import { type AssembledModel, createPublished, type PublishedFigure, type PublishedVariant } from '@ocelli/vlm';
import { partPlans } from './part-plans.js';
import type { Recorded } from './published-models.js';
import { withImageSize } from './systems/image-size.js';
import { programsOf } from './systems/programs-of.js';
import type { SystemPrograms } from './systems/system-programs.js';

/** A published number beside what was found here. */
export interface ComparedFigure {
  readonly quantity: PublishedFigure['quantity'];
  /** Parts that are counted; null for all. */
  readonly parts: readonly string[] | null;
  readonly stage: string | null;
  /** Height and width in pixels of the image that it is for; null for the published size. */
  readonly image: readonly [height: number, width: number] | null;
  readonly published: number;
  /** What was found here, with what only the source counts. */
  readonly found: number;
  /** Of `found`, what only the source counts. */
  readonly beside: number;
  /** Largest difference that rounding explains. */
  readonly tolerance: number;
  readonly agrees: boolean;
  /** False for a known disagreement, explained in `note`. */
  readonly expected: boolean;
  readonly source: string;
  readonly note: string | null;
}

/** The published figures of a variant, at its published sizes, beside those of the model that is built here. */
export function compareFigures(variant: PublishedVariant): ComparedFigure[] {
  return variant.figures.map((figure) => {
    const { quantity, parts = null, stage = null, image = null, value, tolerance, beside = 0, source } = figure;
    const found = foundOf(variant, figure) + beside;
    return {
      quantity,
      parts,
      stage,
      image,
      published: value,
      found,
      beside,
      tolerance,
      agrees: Math.abs(found - value) <= tolerance,
      expected: figure.agrees ?? true,
      source,
      note: figure.note ?? null,
    };
  });
}

function foundOf(variant: PublishedVariant, { quantity, parts, stage, image }: PublishedFigure): number {
  const model = createPublished(variant.architecture);
  switch (quantity) {
    case 'parameters':
      return countParts(model, parts);
    case 'trained':
      trainOnly(model, variant.stages.find(({ name }) => name === stage)!);
      return countParts(model, parts, true);
    case 'visualTokens':
      return programsAt(variant, image).visualTokens;
    case 'visionMacs':
      return macsOf(programsAt(variant, image).features());
    case 'macs': {
      const { prompt, context } = programsAt(variant, image);
      return macsOf(prompt({ batch: 1, context }));
    }
  }
}

function countParts(model: AssembledModel, parts: PublishedFigure['parts'], trained = false): number {
  return partPlans(model, ({ requiresGrad }) => requiresGrad || !trained)
    .filter(({ name }) => parts?.includes(name) ?? true)
    .reduce((sum, { parameters }) => sum + parameters, 0);
}

function programsAt({ architecture, grid }: PublishedVariant, image: PublishedFigure['image']): SystemPrograms {
  const sized = grid ? architecture : withImageSize(architecture, image);
  return programsOf(createPublished(sized), { image, grid });
}

/** Multiplications with their additions. */
function macsOf({ outputs, held }: Recorded): number {
  const { matmul, convolution } = countGraphFlops(recordGraph(outputs, held).graph);
  return (matmul + convolution) / 2;
}
