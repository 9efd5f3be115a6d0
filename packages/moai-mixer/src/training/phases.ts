import type { Module, NamePattern } from '@ocelli/core-tensor';
import type { MoaiMode } from '../mixer/routing.js';

/** One of the two steps in which MoAI is trained; the model around stays frozen in both. */
export interface MoaiTrainingPhase {
  readonly mode: Extract<MoaiMode, 'step1' | 'step2'>;
  /** Parameters that train, by name. */
  readonly trains: readonly NamePattern[];
  readonly peakLearningRate: number;
  /** What the cosine schedule, without warm-up, ends at. */
  readonly finalLearningRate: number;
  readonly weightDecay: number;
  readonly epochs: number;
}

const common = { finalLearningRate: 1e-6, weightDecay: 0, epochs: 1 } as const;

/** Compressor and experts, by the published names: every parameter named `moai` but the gates'. */
const expertsAndCompressor = /moai(?!_GA_)/;

/**
 * The two steps, in their order (Lee et al. 2024, §3; `moai/load_moai.py`, `configs/moai_eval.yaml`). The first trains
 * compressor and experts with one random expert per layer and modality, the second these and the gates. The peak
 * learning rate of the first is reported, not published; that of the second is the released configuration's.
 *
 * An expert that a pass did not draw has a gradient of zero here, where the official code has none: an optimiser with
 * momentum moves it a little further all the same.
 */
export const moaiTrainingPhases: readonly [MoaiTrainingPhase, MoaiTrainingPhase] = [
  { mode: 'step1', trains: [expertsAndCompressor], peakLearningRate: 1e-4, ...common },
  { mode: 'step2', trains: [/moai/], peakLearningRate: 2e-5, ...common },
];

/** Makes a model train what a phase trains, and freezes all else. */
export function startMoaiPhase(model: Module, { trains }: Pick<MoaiTrainingPhase, 'trains'>): void {
  model.freeze().unfreeze(...trains);
}
