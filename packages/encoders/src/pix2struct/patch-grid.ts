/** How an image is cut. */
export interface PatchGridOptions {
  /** Side of a patch in pixels. */
  readonly patchSize: number;
  /** Patches an image is cut into at most. */
  readonly maxPatches: number;
}

/**
 * Rows and columns of patches into which Pix2Struct resizes an image of this size: as many as `maxPatches` allows while
 * the aspect ratio is nearly kept, at least one of each.
 *
 * Source: `Pix2StructImageProcessor.extract_flattened_patches` of Hugging Face.
 */
export function variablePatchGrid(
  height: number,
  width: number,
  { patchSize, maxPatches }: PatchGridOptions,
): [rows: number, columns: number] {
  const scale = Math.sqrt(maxPatches * (patchSize / height) * (patchSize / width));
  const count = (length: number) => Math.max(Math.min(Math.floor((scale * length) / patchSize), maxPatches), 1);
  return [count(height), count(width)];
}
