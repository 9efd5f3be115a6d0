import { llavaOvManagerVariants } from './llava-ov-manager.js';
import { managerTowerVariants } from './manager-tower.js';
import { managerTowerAblations } from './manager-tower-ablations.js';
import type { PublishedSystem } from './published-variant.js';

/** Manager: the two-tower models, and those with managers inside a language model. */
export const managerSystem = {
  title: 'Manager',
  paper: 'arXiv 2306.00103 and 2506.11515',
  variants: { ...managerTowerVariants, ...llavaOvManagerVariants, ...managerTowerAblations },
} as const satisfies PublishedSystem;
