import { z } from 'zod';
import { visionPartOf } from '../checkpoint/vision-part.js';
import { fromVitFields, toVitFields, vitFields } from '../vit/hugging-face-fields.js';
import { parseSiglipVisionConfig, type SiglipVisionConfig } from './config.js';

/** Values of `model_type` whose vision tower is this one. */
export const siglipModelTypes = ['siglip', 'siglip_vision_model'] as const;

const fields = { ...vitFields, vision_use_head: z.boolean().optional() };

/**
 * The tower that a Hugging Face `config.json` describes: that of a vision tower, or of a whole model (of SigLIP, or of a
 * vision-language model with its tower), which nests it as `vision_config`. Fields that are absent have Hugging Face's
 * defaults.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another kind of model, or a field is invalid
 */
export function siglipVisionConfigFromHuggingFace(json: unknown): SiglipVisionConfig {
  const operation = 'siglipVisionConfigFromHuggingFace';
  const vision = visionPartOf(json, { operation, fields, modelTypes: siglipModelTypes, name: 'SigLIP' });
  return parseSiglipVisionConfig({ ...fromVitFields(vision), visionUseHead: vision.vision_use_head });
}

/** The `config.json` of Hugging Face's `SiglipVisionModel` for a tower. */
export function siglipVisionConfigToHuggingFace(config: SiglipVisionConfig): Record<string, unknown> {
  return {
    architectures: ['SiglipVisionModel'],
    model_type: 'siglip_vision_model',
    ...toVitFields(config),
    vision_use_head: config.visionUseHead,
  };
}
