import { createPublished, type PublishedArchitecture } from '@ocelli/vlm';
import { UsageError } from '../../errors.js';

/**
 * An architecture for square images of another size; position tables of the vision tower are made for it.
 *
 * @throws UsageError if the image is no square
 */
export function withImageSize(
  architecture: PublishedArchitecture,
  image: readonly [height: number, width: number] | undefined,
): PublishedArchitecture {
  if (image === undefined) return architecture;
  const [imageSize, width] = image;
  if (imageSize !== width) {
    throw new UsageError(
      `plan: expected a square --image, as images of this variant are resized to one, received ${imageSize}x${width}.`,
    );
  }
  // With its defaults filled in: towers that a configuration leaves out are the model's own.
  const { vision } = createPublished(architecture).config;
  const { kind, config } = architecture;
  return { kind, config: { ...config, vision: { ...vision, imageSize } } } as PublishedArchitecture;
}
