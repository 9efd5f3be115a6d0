import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, loadWeights, Module, saveWeights, writeFileAtomically } from '@ocelli/core-tensor';
import { resolveEncoderFiles } from '@ocelli/encoders';
import type { VisionLanguageConfig } from './config.js';
import { VisionLanguageModel } from './vision-language-model.js';

const configName = 'config.json';

/**
 * Writes a model into a folder: `config.json` and safetensors. An encoder that is an ONNX graph is copied into `vision/`
 * instead of being among them.
 */
export async function saveModel(folder: string, model: VisionLanguageModel): Promise<void> {
  const vision = (await model.vision.copyFiles?.(folder)) ?? model.config.vision;
  await saveWeights(folder, storedPart(model));
  const config = `${JSON.stringify({ ...model.config, vision }, undefined, 2)}\n`;
  await writeFileAtomically(join(folder, configName), config);
}

/** A model without an encoder whose weights are files of their own. */
class PartsBehindVision extends Module {
  readonly projector: VisionLanguageModel['projector'];
  readonly language: VisionLanguageModel['language'];
  readonly imageNewline: VisionLanguageModel['imageNewline'];

  constructor({ projector, language, imageNewline }: VisionLanguageModel) {
    super();
    this.projector = projector;
    this.language = language;
    this.imageNewline = imageNewline;
  }
}

/** What of a model lies in safetensors. */
function storedPart(model: VisionLanguageModel): Module {
  return model.vision.copyFiles ? new PartsBehindVision(model) : model;
}

/**
 * Reads a model that {@link saveModel} wrote.
 *
 * @throws CheckpointError if the folder holds none, its configuration is invalid, or its weights do not fit it.
 */
export async function loadModel(folder: string): Promise<VisionLanguageModel> {
  const model = await readModel(folder);
  await loadWeights(storedPart(model), folder, { operation: 'load into VisionLanguageModel' });
  return model;
}

async function readModel(folder: string): Promise<VisionLanguageModel> {
  const file = join(folder, configName);
  try {
    const config = JSON.parse(await readFile(file, 'utf8')) as VisionLanguageConfig;
    const hasVision = typeof config.vision === 'object' && config.vision !== null;
    return new VisionLanguageModel(
      hasVision ? { ...config, vision: resolveEncoderFiles(config.vision, folder) } : config,
    );
  } catch (cause) {
    throw new CheckpointError({
      operation: 'load model',
      file,
      expected: 'the configuration of a vision-language model, as JSON',
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'Name a folder that saveModel wrote.',
      cause,
    });
  }
}
