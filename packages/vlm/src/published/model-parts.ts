import { matchesName, type NamePattern, type Parameter } from '@ocelli/core-tensor';
import type { VisionEncoder } from '@ocelli/encoders';
import { LlavaHrTower } from '../llava-hr/llava-hr-tower.js';
import { ManagedVisionLanguageModel } from '../managed/managed-model.js';
import { EncoderMixture } from '../mixture/encoder-mixture.js';
import { MoaiModel } from '../moai/moai-model.js';
import type { AssembledModel } from '../model-kinds.js';
import { TwoTowerModel } from '../two-tower/two-tower-model.js';

type PartPatterns = readonly (readonly [part: string, pattern: NamePattern])[];

/** Names of experts whose encoders have longer ones. */
const expertNames: Readonly<Record<string, string>> = {
  'clip-high-resolution': 'clip',
  'eagle-pix2struct': 'pix2struct',
};

const twoTowerParts: PartPatterns = [
  ['text-encoder', 'text'],
  ['vision-encoder', /^(vision|ln_separate)\./],
  ['projections', /^(cross_modal_(text|image)_transform|(text|image)_gate)\./],
  ['embeddings', /^fusion\.(token_type|layer)_embeddings/],
  ['managers', /^fusion\.cross_modal_(text|image)_manager_tower\./],
  ['bridges', /^fusion\.cross_modal_(text|image)_(link_tower|layernorm)\./],
  ['cross-modal', /^fusion\.cross_modal_(text|image)_layers\./],
  ['poolers', /^fusion\.cross_modal_(text|image)_pooler\./],
  ['heads', /^/],
];

/**
 * Parameters of a model by the part that they belong to, in the order in which data passes the parts: `vision` (or each
 * encoder of a mixture, and its `fusion`), `projector`, `language`, and what a system has beside. Every parameter is in
 * exactly one part; parts without any are left out.
 */
export function modelParts(model: AssembledModel): Record<string, Readonly<Record<string, Parameter>>> {
  const parts = partsOf(model);
  const grouped: Record<string, Record<string, Parameter>> = {};
  for (const [part] of parts) grouped[part] = {};
  for (const [name, parameter] of Object.entries(model.namedParameters())) {
    const [part] = parts.find(([, pattern]) => matchesName(name, pattern))!;
    grouped[part]![name] = parameter;
  }
  return Object.fromEntries(Object.entries(grouped).filter(([, group]) => Object.keys(group).length > 0));
}

function partsOf(model: AssembledModel): PartPatterns {
  if (model instanceof TwoTowerModel) return twoTowerParts;
  const vision = visionParts(model.vision);
  if (model instanceof MoaiModel) {
    return [
      ...vision,
      ['projector', 'vision_proj'],
      ['compressor', 'moai_compressor'],
      ['mixers', 'decoder.mixers'],
      ['partial-lora', /\.Plora_[AB]\./],
      // With the row of the token table that stands for images.
      ['language', /^/],
    ];
  }
  if (model instanceof ManagedVisionLanguageModel) {
    return [
      ...vision,
      ['alignment', 'alignment'],
      ['projector', 'decoder.projector'],
      ['newline', 'decoder.image_newline'],
      ['managers', 'decoder.managers'],
      ['language', /^/],
    ];
  }
  return [...vision, ['projector', 'projector'], ['newline', 'imageNewline'], ['language', /^/]];
}

function visionParts(vision: VisionEncoder): PartPatterns {
  if (vision instanceof EncoderMixture) {
    const experts = vision.config.encoders.map(
      ({ encoder: { type } }, index) => [expertNames[type] ?? type, `vision.vision_towers.${index}`] as const,
    );
    return [...experts, ['fusion', 'vision.fusion']];
  }
  if (vision instanceof LlavaHrTower) {
    return [
      ['clip', 'vision.fast_vision_tower'],
      ['convnext', 'vision.slow_vision_tower'],
      ['fusion', /^vision\.align_stages/],
    ];
  }
  return [['vision', 'vision']];
}
