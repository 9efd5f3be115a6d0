import type { KeyMap } from '@ocelli/core-tensor';

/**
 * The layout of the original, which is that of the parameters' paths. The tables of rotary positions are computed: a
 * file has those of the image size that it was trained at.
 */
export const eva02VisionKeyMap: KeyMap = { rules: [], ignore: [/(^|\.)rope(_win|_glb)?\.freqs_(cos|sin)$/] };

/** What the names of the encoder's tensors begin with. */
export const eva02VisionRoots = ['patch_embed.', 'pos_embed', 'blocks.', 'rope_'] as const;
