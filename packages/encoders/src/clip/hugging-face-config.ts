import { z } from 'zod';
import { visionPartOf } from '../checkpoint/vision-part.js';
import { fromVitFields, toVitFields, vitFields } from '../vit/hugging-face-fields.js';
import { type ClipVisionConfig, parseClipVisionConfig } from './config.js';

/** Values of `model_type` whose vision tower is this one. */
export const clipModelTypes = ['clip', 'clip_vision_model'] as const;

const fields = {
  ...vitFields,
  initializer_range: z.number().optional(),
  initializer_factor: z.number().optional(),
};

/**
 * The tower that a Hugging Face `config.json` describes: that of a vision tower, or of a whole model (of CLIP, or of a
 * vision-language model with its tower), which nests it as `vision_config`. Fields that are absent have Hugging Face's
 * defaults.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another kind of model, or a field is invalid
 */
export function clipVisionConfigFromHuggingFace(json: unknown): ClipVisionConfig {
  const operation = 'clipVisionConfigFromHuggingFace';
  const vision = visionPartOf(json, { operation, fields, modelTypes: clipModelTypes, name: 'CLIP' });
  return parseClipVisionConfig({
    ...fromVitFields(vision),
    initializerRange: vision.initializer_range,
    initializerFactor: vision.initializer_factor,
  });
}

/** The `config.json` of Hugging Face's `CLIPVisionModel` for a tower. */
export function clipVisionConfigToHuggingFace(config: ClipVisionConfig): Record<string, unknown> {
  return {
    architectures: ['CLIPVisionModel'],
    model_type: 'clip_vision_model',
    ...toVitFields(config),
    initializer_range: config.initializerRange,
    initializer_factor: config.initializerFactor,
  };
}
