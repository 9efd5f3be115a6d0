import type { KeyMap } from '@ocelli/core-tensor';

/** Hugging Face's layout, which is that of the parameters' paths. */
export const siglipVisionKeyMap: KeyMap = { rules: [] };
