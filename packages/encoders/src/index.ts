export {
  type ClipFeatureOptions,
  type ClipForwardOptions,
  type ClipVisionOutput,
  ClipVisionTower,
} from './clip/clip-vision-tower.js';
export { clipVisionMacs } from './clip/compute.js';
export {
  type ClipVisionConfig,
  type ClipVisionConfigInput,
  type ClipVisionName,
  clipVisionConfigs,
  parseClipVisionConfig,
} from './clip/config.js';
export { halfPrecisionPositions } from './clip/half-positions.js';
export {
  type HighResolutionClipConfig,
  type HighResolutionClipConfigInput,
  HighResolutionClipTower,
  parseHighResolutionClipConfig,
} from './clip/high-resolution-tower.js';
export { clipVisionConfigFromHuggingFace, clipVisionConfigToHuggingFace } from './clip/hugging-face-config.js';
export {
  type ClipPositionOptions,
  interpolateClipPositions,
  interpolateClipResolution,
  type ResizeClipVisionOptions,
  resizeClipPositions,
  resizeClipVision,
} from './clip/interpolate-resolution.js';
export { clipVisionKeyMap, openaiClipVisionKeyMap } from './clip/key-map.js';
export {
  type LoadClipVisionOptions,
  type LoadHighResolutionClipOptions,
  loadClipVision,
  loadHighResolutionClip,
} from './clip/load-clip-vision.js';
export { clipVisionConfigFromOpenClip, clipVisionConfigToOpenClip } from './clip/open-clip-config.js';
export { type SaveClipVisionOptions, saveClipVision } from './clip/save-clip-vision.js';
export { type AddedStage, addConvNextStage } from './convnext/add-stage.js';
export { type ConvNextMacs, convNextMacs } from './convnext/compute.js';
export {
  type ConvNextConfig,
  type ConvNextConfigInput,
  type ConvNextName,
  convNextConfigs,
  parseConvNextConfig,
} from './convnext/config.js';
export {
  type ConvNextFeatureOptions,
  type ConvNextForwardOptions,
  type ConvNextOutput,
  ConvNextTower,
} from './convnext/convnext-tower.js';
export { convNextConfigFromHuggingFace, convNextConfigToHuggingFace } from './convnext/hugging-face-config.js';
export { type ConvNextKeyMapOptions, type ConvNextLayoutName, convNextKeyMap } from './convnext/key-map.js';
export { type LoadConvNextOptions, loadConvNext } from './convnext/load-convnext.js';
export { type SaveConvNextOptions, saveConvNext } from './convnext/save-convnext.js';
export { convNextConfigFromOpenClip, convNextConfigFromTimm, convNextConfigToTimm } from './convnext/timm-config.js';
export { convNextStagesFrom, type TrainedFrom } from './convnext/trained-stages.js';
export {
  type Eva02VisionConfig,
  type Eva02VisionConfigInput,
  type Eva02VisionName,
  eva02VisionConfigs,
  parseEva02VisionConfig,
} from './eva02/config.js';
export {
  type Eva02FeatureOptions,
  type Eva02ForwardOptions,
  Eva02VisionEncoder,
  type Eva02VisionOutput,
} from './eva02/eva02-vision-encoder.js';
export { eva02VisionKeyMap } from './eva02/key-map.js';
export { type LoadEva02VisionOptions, loadEva02Vision } from './eva02/load-eva02.js';
export { eva02VisionConfigFromOriginal } from './eva02/original-config.js';
export { type RotaryGrid, type RotaryGridOptions, rotaryGrid, rotatePairs } from './eva02/rotary.js';
export { type OnnxVisionConfig, type OnnxVisionConfigInput, parseOnnxVisionConfig } from './onnx/config.js';
export { type LoadOnnxVisionOptions, loadOnnxVision } from './onnx/load-onnx-vision.js';
export { OnnxVisionEncoder } from './onnx/onnx-vision-encoder.js';
export {
  type Pix2StructVisionConfig,
  type Pix2StructVisionConfigInput,
  type Pix2StructVisionName,
  parsePix2StructVisionConfig,
  pix2structVisionConfigs,
} from './pix2struct/config.js';
export {
  type EaglePix2StructConfig,
  type EaglePix2StructConfigInput,
  EaglePix2StructTower,
  parseEaglePix2StructConfig,
} from './pix2struct/eagle-pix2struct-tower.js';
export { pix2structVisionConfigFromHuggingFace } from './pix2struct/hugging-face-config.js';
export { pix2structVisionKeyMap } from './pix2struct/key-map.js';
export {
  type LoadEaglePix2StructOptions,
  type LoadPix2StructVisionOptions,
  loadEaglePix2Struct,
  loadPix2StructVision,
} from './pix2struct/load-pix2struct.js';
export { type PatchGridOptions, variablePatchGrid } from './pix2struct/patch-grid.js';
export { patchesOfPixels } from './pix2struct/patches-of-pixels.js';
export {
  type Pix2StructFeatureOptions,
  type Pix2StructForwardOptions,
  Pix2StructVisionEncoder,
  type Pix2StructVisionOutput,
} from './pix2struct/pix2struct-vision-encoder.js';
export {
  type CheckpointMarks,
  createEncoder,
  type EncoderConfig,
  type EncoderConfigInput,
  type EncoderEntry,
  type EncoderOf,
  type EncoderType,
  encoders,
  loadEncoder,
  resolveEncoderFiles,
} from './registry.js';
export { extendedAttentionMask } from './roberta/attention-mask.js';
export {
  parseRobertaConfig,
  type RobertaConfig,
  type RobertaConfigInput,
  type RobertaName,
  robertaConfigs,
} from './roberta/config.js';
export { positionsOfIds, type RobertaEmbeddings, type RobertaTokens } from './roberta/embeddings.js';
export { robertaConfigFromHuggingFace, robertaConfigToHuggingFace } from './roberta/hugging-face-config.js';
export { robertaForMaskedLmKeyMap, robertaKeyMap } from './roberta/key-map.js';
export type { RobertaLayer, RobertaLayerOptions } from './roberta/layer.js';
export {
  type LoadedRoberta,
  type LoadRobertaOptions,
  loadRoberta,
  loadRobertaForMaskedLm,
} from './roberta/load-roberta.js';
export { RobertaForMaskedLm } from './roberta/masked-language-model.js';
export {
  Roberta,
  type RobertaForwardOptions,
  type RobertaInputs,
  type RobertaOutput,
} from './roberta/roberta.js';
export { type SaveRobertaOptions, saveRoberta } from './roberta/save-roberta.js';
export {
  parseSamVisionConfig,
  type SamVisionConfig,
  type SamVisionConfigInput,
  type SamVisionName,
  samVisionConfigs,
} from './sam/config.js';
export { type SamVisionOverrides, samVisionConfigFromHuggingFace } from './sam/hugging-face-config.js';
export { samVisionKeyMap } from './sam/key-map.js';
export { type LoadSamVisionOptions, loadSamVision } from './sam/load-sam.js';
export {
  type SamFeatureOptions,
  type SamForwardOptions,
  SamVisionEncoder,
  type SamVisionOutput,
} from './sam/sam-vision-encoder.js';
export {
  parseSiglipVisionConfig,
  type SiglipVisionConfig,
  type SiglipVisionConfigInput,
  type SiglipVisionName,
  siglipVisionConfigs,
} from './siglip/config.js';
export { siglipVisionConfigFromHuggingFace, siglipVisionConfigToHuggingFace } from './siglip/hugging-face-config.js';
export { siglipVisionKeyMap } from './siglip/key-map.js';
export { type LoadSiglipVisionOptions, loadSiglipVision } from './siglip/load-siglip-vision.js';
export { type SaveSiglipVisionOptions, saveSiglipVision } from './siglip/save-siglip-vision.js';
export {
  type SiglipFeatureOptions,
  type SiglipForwardOptions,
  type SiglipVisionOutput,
  SiglipVisionTower,
} from './siglip/siglip-vision-tower.js';
export type { FeatureLevel, FeatureOptions, VisionEncoder } from './vision-encoder.js';
