import type { CheckResult } from '../check.js';
import { requireFrom } from '../require-from.js';

interface Sharp {
  readonly versions: Readonly<Record<string, string | undefined>>;
}

/** Whether sharp loads, which decodes the images. */
export function checkImageDecoding(
  load: () => Sharp = () => requireFrom('@ocelli/data', 'sharp') as Sharp,
): CheckResult {
  const name = 'image decoding';
  try {
    const { versions } = load();
    return {
      name,
      status: 'ok',
      detail: `sharp ${versions.sharp ?? 'of unknown version'}, libvips ${versions.vips ?? 'of unknown version'}`,
    };
  } catch (error) {
    return {
      name,
      status: 'problem',
      detail: `sharp does not load: ${(error as Error).message.trim().split('\n')[0]}`,
      remedy: 'npm install --include=optional sharp',
    };
  }
}
