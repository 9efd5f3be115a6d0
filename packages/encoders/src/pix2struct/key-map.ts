import type { KeyMap } from '@ocelli/core-tensor';

/** The layout of Hugging Face's `Pix2StructVisionModel`, which is that of the parameters' paths. */
export const pix2structVisionKeyMap: KeyMap = { rules: [] };

/** What the names of the encoder's tensors begin with. */
export const pix2structVisionRoots = ['embeddings.', 'encoder.', 'layernorm.'] as const;
