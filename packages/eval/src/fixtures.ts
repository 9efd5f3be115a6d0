import type { ParityChecks } from '@ocelli/core-tensor';
import { convllavaChecks } from './parity/convllava.js';
import { harnessChoiceChecks } from './parity/harness-choice.js';
import { harnessFileChecks } from './parity/harness-files.js';
import { harnessJudgedChecks } from './parity/harness-judged.js';
import { harnessMetricChecks } from './parity/harness-metrics.js';
import { harnessReviewChecks } from './parity/harness-reviews.js';
import { harnessVqaChecks } from './parity/harness-vqa.js';
import { harnessYesNoChecks } from './parity/harness-yes-no.js';
import { honeybeeChecks } from './parity/honeybee.js';
import { moaiChecks } from './parity/moai.js';

/** Kinds of fixtures about scoring that this package answers for. */
export const parityChecks: ParityChecks = {
  ...honeybeeChecks,
  ...convllavaChecks,
  ...moaiChecks,
  ...harnessVqaChecks,
  ...harnessChoiceChecks,
  ...harnessYesNoChecks,
  ...harnessMetricChecks,
  ...harnessJudgedChecks,
  ...harnessReviewChecks,
  ...harnessFileChecks,
};
