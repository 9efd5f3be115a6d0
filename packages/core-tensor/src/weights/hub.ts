import { stat } from 'node:fs/promises';
import { fetchModel } from './hub/fetch-model.js';
import { type FetchOptions, isModelId, noModel, withHub } from './hub/session.js';

export { type CheckpointOutline, fetchCheckpointOutline } from './hub/outline.js';
export type { FilePattern } from './hub/select-files.js';
export type { FetchOptions, FetchProgress } from './hub/session.js';

/**
 * The local folder of a model: `idOrFolder` itself where that is a folder or file, else the model `owner/name` of the
 * Hugging Face hub, downloaded into the cache unless it is there. Files are checked against their hashes, and an
 * interrupted download goes on where it ended. Without a connection, the last known state of a branch is used.
 *
 * @throws CheckpointError where there is neither folder nor model, the hub refuses or cannot be reached, or the model
 *   has no safetensors files
 */
export async function fetchCheckpoint(idOrFolder: string, options: FetchOptions = {}): Promise<string> {
  if (await isThere(idOrFolder)) return idOrFolder;
  if (!isModelId(idOrFolder)) throw noModel(idOrFolder);
  return withHub(idOrFolder, options, fetchModel);
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
