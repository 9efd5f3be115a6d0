import type { KeyMap } from '@ocelli/core-tensor';

/** The layout of Hugging Face and Eagle, which is that of the parameters' paths. */
export const samVisionKeyMap: KeyMap = { rules: [] };

/** For an encoder whose neck starts anew: a checkpoint's is left alone. */
export const samVisionWithoutNeckKeyMap: KeyMap = { rules: [], ignore: [/(^|\.)neck\./], optional: [/^neck\./] };

/** What the names of the encoder's tensors begin with. */
export const samVisionRoots = ['patch_embed.', 'pos_embed', 'layers.', 'neck.'] as const;
