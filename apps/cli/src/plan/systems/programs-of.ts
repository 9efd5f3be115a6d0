import { type AssembledModel, ManagedVisionLanguageModel, MoaiModel, TwoTowerModel } from '@ocelli/vlm';
import { managedPrograms } from './managed.js';
import { moaiPrograms } from './moai.js';
import type { ImageInput, SystemPrograms } from './system-programs.js';
import { twoTowerPrograms } from './two-tower.js';
import { visionLanguagePrograms } from './vision-language.js';

/** What any of the models computes. */
export function programsOf(model: AssembledModel, input: ImageInput): SystemPrograms {
  if (model instanceof TwoTowerModel) return twoTowerPrograms(model);
  if (model instanceof MoaiModel) return moaiPrograms(model);
  if (model instanceof ManagedVisionLanguageModel) return managedPrograms(model, input);
  return visionLanguagePrograms(model, input);
}
