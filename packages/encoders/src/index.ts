export {
  type ClipFeatureOptions,
  type ClipForwardOptions,
  type ClipVisionOutput,
  ClipVisionTower,
} from './clip/clip-vision-tower.js';
export {
  type ClipVisionConfig,
  type ClipVisionConfigInput,
  type ClipVisionName,
  clipVisionConfigs,
  parseClipVisionConfig,
} from './clip/config.js';
export { clipVisionConfigFromHuggingFace } from './clip/hugging-face-config.js';
export { interpolateClipPositions, interpolateClipResolution } from './clip/interpolate-resolution.js';
export { loadClipVision } from './clip/load-clip-vision.js';
