import type { ConversationTemplate, ImageGrid, ImageProcessor } from '@ocelli/data';
import type { TrainingConfig } from './config.js';
import { resolveGrid } from './grid.js';
import { readImageProcessor } from './image-processor.js';
import type { Refuse } from './refuse.js';

/** How conversations become sequences, and images pixels. */
export interface SequenceSettings {
  readonly template: ConversationTemplate;
  readonly maximumLength: number;
  readonly imageProcessor: ImageProcessor;
  /** How images are cut into tiles; null for not at all. */
  readonly grid: ImageGrid | null;
}

/** What holds where a stage says nothing else, which questions are asked by too, and what holds in each stage. */
export interface StageSettings {
  readonly common: SequenceSettings;
  readonly stages: readonly SequenceSettings[];
}

/**
 * The settings of each stage: its own, else those of the run.
 *
 * @param side in pixels of the images that the encoder is made for
 * @throws ConfigError that names the key of a grid or an image processor that does not fit the encoder
 */
export async function stageSettings(config: TrainingConfig, side: number, refuse: Refuse): Promise<StageSettings> {
  const { template, maximumLength, vision, grid } = config;
  const common: SequenceSettings = {
    template,
    maximumLength,
    imageProcessor: await readImageProcessor(vision.imageProcessor, side, { key: 'vision.imageProcessor', refuse }),
    grid: grid == null ? null : resolveGrid(grid, side, 'grid', refuse),
  };
  const stages: SequenceSettings[] = [];
  for (const [index, stage] of config.stages.entries()) {
    const key = `stages.${index}`;
    const given = stage.imageProcessor;
    stages.push({
      template: stage.template ?? template,
      maximumLength: stage.maximumLength ?? maximumLength,
      imageProcessor:
        given === undefined
          ? common.imageProcessor
          : await readImageProcessor(given, side, { key: `${key}.imageProcessor`, refuse }),
      grid: stage.grid === undefined ? common.grid : stage.grid && resolveGrid(stage.grid, side, `${key}.grid`, refuse),
    });
  }
  return { common, stages };
}
