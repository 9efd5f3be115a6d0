import { attention } from '../../ops/attention.js';
import { mergeHeads, splitHeads } from '../../ops/heads.js';
import { linear } from '../../ops/linear.js';
import { split } from '../../ops/rearrange.js';
import { mean } from '../../ops/reduce.js';
import { type Tensor, tensor } from '../../tensor.js';
import { FixtureError, type OperatorRule, required } from './operator-case.js';

/** PyTorch's `nn.MultiheadAttention`: its output, and its weights averaged over the heads. */
export const multiheadAttention: OperatorRule = ({ arguments: given, inputs, parameters }) => {
  const heads = given.num_heads as number;
  const [k, v] = [required(inputs, 'k'), required(inputs, 'v')];
  const weights = split(required(parameters, 'in_proj_weight'), 3, 0);
  const biases = split(required(parameters, 'in_proj_bias'), 3, 0);
  const [queries, keys, values] = [required(inputs, 'q'), k, v].map((x, part) =>
    splitHeads(linear(x, weights[part]!, biases[part]), heads),
  );
  const [batch, tokens] = k.shape as [number, number];
  let probabilities: Tensor | undefined;
  const mixed = attention(queries!, keys!, values!, {
    mask: paddingMask(given.key_padding_mask, batch, tokens),
    onWeights: (each) => {
      probabilities = each;
      return each;
    },
  });
  return {
    y: linear(mergeHeads(mixed), required(parameters, 'out_weight'), parameters.out_bias),
    weights: mean(probabilities!, { axes: 1 }),
  };
};

/** "row 1: keys 3 and 4 are masked" as where attention is allowed, bool [batch, 1, 1, keys]. */
function paddingMask(text: unknown, batch: number, keys: number): Tensor | undefined {
  if (text === undefined) return undefined;
  const allowed = new Uint8Array(batch * keys).fill(1);
  const rows = [...String(text).matchAll(/row (\d+): keys? ([\d, and]+?) (?:is|are) masked/g)];
  if (rows.length === 0) {
    throw new FixtureError({
      operation: 'check multihead attention',
      expected: 'masked keys by row',
      received: JSON.stringify(text),
    });
  }
  for (const [, row, list] of rows) {
    for (const [key] of list!.matchAll(/\d+/g)) allowed[Number(row) * keys + Number(key)] = 0;
  }
  return tensor(allowed, [batch, 1, 1, keys], 'bool');
}
