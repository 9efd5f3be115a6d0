import { parseConfig } from '@ocelli/core-tensor';
import { convNextConfigs } from '@ocelli/encoders';
import { createSchedule, type TrainConfig, trainConfigSchema } from '@ocelli/trainer';
import {
  convLlavaTrainingStages,
  eaglePreAlignmentStages,
  eagleTrainingStages,
  honeybeeTrainingStages,
  llavaOvManagerTrainingStages,
  moaiTrainingStages,
  type TrainingStage,
  trainerStage,
} from '@ocelli/vlm';
import { describe, expect, it } from 'vitest';

const fourStages = convNextConfigs['clip-convnext-large-d-320'];

describe('the published stages of training', () => {
  it.each<[string, readonly TrainingStage[]]>([
    ['Eagle', [...eaglePreAlignmentStages(), ...eagleTrainingStages({ clip: 'frozen', data: 'cambrian' })]],
    ['ConvLLaVA', convLlavaTrainingStages(undefined, { trainLmHead: true })],
    ['ConvLLaVA with four stages', convLlavaTrainingStages(fourStages, { protocol: 'updated' })],
    ['Honeybee', honeybeeTrainingStages()],
    ['LLaVA-OV-Manager', llavaOvManagerTrainingStages({ learningRates: 'declared' })],
    ['MoAI', moaiTrainingStages()],
  ])('of %s are what the trainer takes', (_, stages) => {
    const config: TrainConfig = { stages: stages.map((stage) => trainerStage(stage)) };
    const parsed = parseConfig('train', trainConfigSchema, config);
    for (const [index, { schedule, steps, learningRate, frozen, groups }] of parsed.stages.entries()) {
      expect({ learningRate, frozen }).toEqual({
        learningRate: stages[index]!.learningRate,
        frozen: stages[index]!.frozen,
      });
      expect(groups).toHaveLength(stages[index]!.groups?.length ?? 0);
      const rates = [0, 0.1, 0.999].map((share) =>
        createSchedule(schedule, { learningRate, steps })(Math.round(share * steps)),
      );
      expect(Math.max(...rates)).toBeLessThanOrEqual(learningRate);
      expect(rates[1]!).toBeGreaterThan(rates[2]!);
    }
  });
});
