import type { KeyMap } from '@ocelli/core-tensor';

/** What the names of an encoder's parameters begin with. */
export const robertaRoots = ['embeddings.', 'encoder.', 'pooler.'] as const;

/**
 * Hugging Face's layout, which is that of the parameters' paths. Published models come with their head and may lack the
 * pooling layer, which starts with fresh values then.
 */
export const robertaKeyMap: KeyMap = { rules: [], optional: [/^pooler\./] };

/** The same for an encoder without pooling layer. */
export const robertaWithoutPoolerKeyMap: KeyMap = { rules: [], ignore: [/^pooler\./] };

/** The layout with head. Its last layer is the word table, which some files store twice. */
export const robertaForMaskedLmKeyMap: KeyMap = {
  rules: [],
  ignore: [/^lm_head\.decoder\./, /^roberta\.pooler\./],
};
