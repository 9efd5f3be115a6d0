import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, openCheckpoint, type StateEntry } from '@ocelli/core-tensor';
import { ClipVisionTower } from './clip-vision-tower.js';
import { clipVisionConfigFromHuggingFace } from './hugging-face-config.js';

/** Tensors of a whole CLIP model that are not the tower's, and a buffer of old checkpoints. */
const ignored = /^(text_model\.|text_projection\.|visual_projection\.|logit_scale$)|\.position_ids$/;

/**
 * A tower from a folder in Hugging Face's layout: `config.json` and safetensors files, of a vision tower or of a whole
 * CLIP model. Weights of any type become float32.
 *
 * @throws CheckpointError if a file is missing or malformed, or lists tensors that are missing, unexpected or misshapen
 * @throws ConfigError if `config.json` describes another kind of model
 */
export async function loadClipVision(folder: string): Promise<ClipVisionTower> {
  const tower = new ClipVisionTower(clipVisionConfigFromHuggingFace(await readConfig(join(folder, 'config.json'))));
  const checkpoint = await openCheckpoint(folder);
  try {
    const state: Record<string, StateEntry> = {};
    for (const key of checkpoint.keys()) {
      if (!ignored.test(key)) state[key] = await checkpoint.read(key, { as: 'float32' });
    }
    tower.loadState(state);
  } finally {
    await checkpoint.close();
  }
  return tower;
}

async function readConfig(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new CheckpointError({
      operation: 'loadClipVision',
      file,
      expected: 'a JSON file',
      received: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}
