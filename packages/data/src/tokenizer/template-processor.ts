/** A special token and its id. */
export interface PlacedToken {
  readonly token: string;
  readonly id: number;
}

/** The `post_processor` of a tokenizer.json that puts tokens around a text, and around each of a pair. */
export function templateProcessor(around: {
  bos: PlacedToken | undefined;
  eos: PlacedToken | undefined;
}): object | null {
  const { bos, eos } = around;
  const tokens = [bos, eos].filter((each) => each !== undefined);
  if (tokens.length === 0) return null;
  const one = (id: 'A' | 'B', type_id: 0 | 1) => [
    ...(bos === undefined ? [] : [{ SpecialToken: { id: bos.token, type_id } }]),
    { Sequence: { id, type_id } },
    ...(eos === undefined ? [] : [{ SpecialToken: { id: eos.token, type_id } }]),
  ];
  return {
    type: 'TemplateProcessing',
    single: one('A', 0),
    pair: [...one('A', 0), ...one('B', 1)],
    special_tokens: Object.fromEntries(
      tokens.map(({ token, id }) => [token, { id: token, ids: [id], tokens: [token] }]),
    ),
  };
}
