import type { ParityChecks } from '@ocelli/core-tensor';
import { checkAdamW } from './parity/adamw.js';
import { checkManagerTowerGroups } from './parity/parameter-groups.js';
import { checkCosineWithRatio, checkHoneybeeSchedule, checkSchedules } from './parity/schedules.js';

/** Comparisons of this package with published implementations, by kind of fixture. */
export const parityChecks: ParityChecks = {
  'backbones/adamw': checkAdamW,
  'backbones/schedules': checkSchedules,
  'convllava/schedule': checkCosineWithRatio,
  'honeybee/schedule_and_mixing': checkHoneybeeSchedule,
  'manager/mt_optimizer_groups': checkManagerTowerGroups,
};
