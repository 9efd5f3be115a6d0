import { compile, type Module, valueAndGrad } from '@ocelli/core-tensor';
import { applyStage, type TrainingStage, type VisionLanguageModel } from '../../src/index.js';
import { minimise, normal, smallBatch } from '../support.js';

/** Makes steps of a stage, and says which parameters they moved. */
export async function movedBy(
  model: VisionLanguageModel,
  stage: TrainingStage,
  { side, steps = 1 }: { readonly side: number; readonly steps?: number },
): Promise<string[]> {
  const before = await model.state();
  const batch = { ...smallBatch(model.visualTokensPerImage), pixelValues: normal(1, 3, side, side) };
  for (const { learningRate, parameters } of applyStage(model, stage)) {
    const step = compile(() => valueAndGrad(() => model.loss(batch), parameters));
    await minimise(() => step(), parameters, { steps, learningRate });
  }
  const after = await model.state();
  return Object.keys(before).filter((name) => {
    const [x, y] = [before[name]!.data, after[name]!.data];
    return x.some((value, index) => value !== y[index]);
  });
}

/** Names of the parameters that a test of moving parameters knows to expect. */
export function namesOf(model: Module, expected: (name: string) => boolean): string[] {
  return Object.keys(model.namedParameters()).filter(expected);
}

/** Gradients of these are zero but for rounding, which Adam makes a whole step of: they may move or not. */
export function isUndecided(name: string): boolean {
  return /k_proj\.bias$/.test(name);
}
