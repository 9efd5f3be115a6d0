/** Names under which language models have the layer that predicts tokens. */
const names = /(^|\.)(lm_head(\.decoder)?|embed_out)$|^output$/;

/** Whether the layer of this path in a model predicts tokens: it usually gets no adapter. */
export function isOutputLayer(path: string): boolean {
  return names.test(path);
}
