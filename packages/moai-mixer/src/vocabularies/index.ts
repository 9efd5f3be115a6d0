import { ade20kClasses } from './ade20k-847.js';
import { cocoPanopticClasses } from './coco-panoptic-classes.js';
import { imagenetClasses } from './imagenet-classes.js';
import { panopticPredicates } from './predicates.js';

export { ade20kClasses, cocoPanopticClasses, imagenetClasses, panopticPredicates };

/** What the open-world detector is asked for: ADE20K-full, then ImageNet. Names that both have come twice. */
export const detectionQueries: readonly string[] = [...ade20kClasses, ...imagenetClasses];
