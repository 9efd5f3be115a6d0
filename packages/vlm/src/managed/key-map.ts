import type { KeyMap, KeyRule } from '@ocelli/core-tensor';
import type { ManagedDecoder } from './managed-decoder.js';
import type { ManagedVisionLanguageModel } from './managed-model.js';

/** Roots of the decoder's parts in the official layout (`llava_qwen_manager`). */
const decoderRoots: readonly (readonly [part: string, root: string])[] = [
  // Behind this path linear layers are numbered as there; other projectors have no published names, and keep their own.
  ['projector.net.', 'model.mm_projector.'],
  ['projector.', 'model.mm_projector.'],
  ['managers.', 'model.'],
  ['image_newline', 'model.image_newline'],
  ['language.', ''],
];

/** The official layout of a decoder with managers. */
export function managedDecoderKeyMap(decoder: ManagedDecoder): KeyMap {
  return { rules: decoderRules(decoder, '') };
}

/** The official layout of a whole model (Hugging Face `LooperXX/LLaVA-OV-Manager`). The tower's final norm is unused. */
export function managedModelKeyMap({ vision, decoder }: ManagedVisionLanguageModel): KeyMap {
  const tower = Object.keys(vision.namedParameters()).map((name) => ({
    key: `model.vision_tower.vision_tower.${name}`,
    parameter: `vision.${name}`,
  }));
  return { rules: [...tower, ...decoderRules(decoder, 'decoder.')] };
}

function decoderRules(decoder: ManagedDecoder, prefix: string): KeyRule[] {
  return Object.keys(decoder.namedParameters()).map((name) => {
    const [part, root] = decoderRoots.find(([start]) => name.startsWith(start))!;
    return { key: `${root}${name.slice(part.length)}`, parameter: `${prefix}${name}` };
  });
}
