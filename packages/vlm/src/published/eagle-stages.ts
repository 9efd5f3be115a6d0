import { type EagleTrainingOptions, eagleTrainingStages } from '../stages/eagle.js';
import type { PublishedStage } from './published-variant.js';

/** What a variant changes about the stages. */
export interface EagleStagesOptions extends Pick<EagleTrainingOptions, 'data' | 'language' | 'fusion'> {
  /** Whether the projector has weights. Default: true. */
  readonly projector?: boolean;
  /** Longest sequence. Default: the scripts' 2048. */
  readonly maximumLength?: number;
}

/**
 * The stages of Eagle's training in both readings of the joint one: the scripts and figure 3 train the projector alone,
 * section 2.5 and some rows of table 7 ("unlock") the encoders too.
 */
export function eagleStages({
  projector = true,
  maximumLength,
  ...options
}: EagleStagesOptions = {}): PublishedStage[] {
  const [joint, tuning] = eagleTrainingStages(options);
  const [unlocked] = eagleTrainingStages({ ...options, jointExperts: 'trained' });
  return [joint, { ...unlocked, name: `${unlocked.name}-unlocked` }, tuning].map((stage) => ({
    ...stage,
    trainable: stage.trainable.filter((pattern) => projector || pattern !== 'projector'),
    maximumLength: maximumLength ?? stage.maximumLength,
  }));
}
