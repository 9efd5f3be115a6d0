import { fold, randomKey, type Scene, type SceneOptionsInput, sampleScene } from '../../src/index.js';

/** Scenes of a seed. */
export function scenesOf(seed: number, count: number, options: SceneOptionsInput = {}): Scene[] {
  return Array.from({ length: count }, (_, index) => sampleScene(fold(randomKey(seed), index), options));
}
