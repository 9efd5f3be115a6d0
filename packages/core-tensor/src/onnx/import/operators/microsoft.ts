import { add, mul, relu, sigmoid, tanh } from '../../../ops/arithmetic.js';
import { attention } from '../../../ops/attention.js';
import { clamp } from '../../../ops/compare.js';
import { mergeHeads, splitHeads } from '../../../ops/heads.js';
import { matmul } from '../../../ops/matmul.js';
import { matmulBnb4, matmulNBits } from '../../../ops/quantized.js';
import { reshape, sliceAxis, split } from '../../../ops/rearrange.js';
import type { Tensor } from '../../../tensor.js';
import type { NodeContext, Operator } from '../node-context.js';
import { hardSigmoid, leakyRelu, microsoftActivationOperators } from './activation.js';
import { microsoftNormalizationOperators } from './normalization.js';
import { convolution } from './product.js';

const fusedMatMul: Operator = (node) => {
  const [a, b] = [node.input(0), node.input(1)];
  const alpha = node.float('alpha', 1);
  if (node.flag('transBatchA') || node.flag('transBatchB'))
    throw node.refusal('matrices in the last two axes', 'others');
  const y = matmul(a, b, { transposeA: node.flag('transA'), transposeB: node.flag('transB') });
  return alpha === 1 ? y : mul(y, alpha);
};

const fusedActivations = {
  '': (x: Tensor) => x,
  Relu: relu,
  Sigmoid: sigmoid,
  Tanh: tanh,
  LeakyRelu: (x: Tensor, [slope = 0.01]: readonly number[]) => leakyRelu(x, slope),
  Clip: (x: Tensor, [low = 0, high = 6]: readonly number[]) => clamp(x, { low, high }),
  HardSigmoid: (x: Tensor, [slope = 0.2, offset = 0.5]: readonly number[]) => hardSigmoid(x, slope, offset),
} as const satisfies Record<string, (x: Tensor, parameters: readonly number[]) => Tensor>;

/** A convolution, to which something may be added, and an activation. */
const fusedConv: Operator = (node) => {
  const added = node.optional(3);
  const names = Object.keys(fusedActivations) as (keyof typeof fusedActivations)[];
  const activation = fusedActivations[node.word('activation', names, '')];
  const parameters = node.floats('activation_params') ?? [];
  const y = convolution(node, node.input(0), node.input(1), node.optional(2));
  return activation(added ? add(y, added) : y, parameters);
};

const nBits: Operator = (node) => {
  const [x, packed, scales, zeroPoints, bias] = [
    node.input(0),
    node.input(1),
    node.input(2),
    node.optional(3),
    node.optional(5),
  ];
  const [inputs, outputs, blockSize] = [node.int('K'), node.int('N'), node.int('block_size')];
  const bits = node.int('bits', 4);
  if (bits !== 4 && bits !== 8) throw node.refusal('4 or 8 bits', String(bits));
  const level = node.int('accuracy_level', 0);
  const blocks = Math.ceil(inputs / blockSize);
  const weight = {
    packed: reshape(packed, [outputs, blocks, (blockSize * bits) / 8]),
    scales: reshape(scales, [outputs, blocks]),
    zeroPoints: zeroPoints && reshape(zeroPoints, [outputs, Math.ceil((blocks * bits) / 8)]),
  };
  const y = matmulNBits(x, weight, { bits, blockSize, accuracyLevel: level === 4 ? 4 : 1 });
  return bias ? add(y, bias) : y;
};

const bnb4: Operator = (node) => {
  const [x, packed, absmax] = [node.input(0), node.input(1), node.input(2)];
  const [inputs, outputs, blockSize] = [node.int('K'), node.int('N'), node.int('block_size')];
  const isNf4 = node.flag('quant_type', true);
  node.ignore('training_mode');
  if (!node.flag('transB', true) || x.shape.at(-1) !== inputs) throw node.refusal(`x [..., ${inputs}]`, String(x));
  const weight = { packed: reshape(packed, [-1]), absmax: reshape(absmax, [-1]) };
  return matmulBnb4(x, weight, { format: isNf4 ? 'nf4' : 'fp4', blockSize, outputs });
};

interface Heads {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Attention over [batch, tokens, heads · width] each, with heads side by side. */
function attend(node: NodeContext, { query, key, value }: Heads, bias: Tensor | undefined): Tensor {
  const heads = node.int('num_heads');
  const scale = node.float('scale', 0);
  const causal = node.flag('unidirectional');
  node.ignore('mask_filter_value'); // there is no mask
  const parts = [query, key, value].map((each) => (each.shape.length === 4 ? each : splitHeads(each, heads)));
  const options = { bias, causal, ...(scale !== 0 && { scale }) };
  return mergeHeads(attention(parts[0]!, parts[1]!, parts[2]!, options));
}

/** Projection to queries, keys and values, and attention. x [batch, tokens, width], weight [width, all three]. */
const selfAttention: Operator = (node) => {
  const [x, weight, bias, positions] = [node.input(0), node.input(1), node.optional(2), node.optional(5)];
  const sizes = node.ints('qkv_hidden_sizes') ?? 3;
  const product = matmul(x, weight);
  const projected = bias ? add(product, bias) : product;
  const [query, key, value] = split(projected, sizes, -1) as [Tensor, Tensor, Tensor];
  if (node.flag('do_rotary')) throw node.refusal('attention without rotary positions', 'do_rotary');
  node.ignore('past_present_share_buffer', 'rotary_embedding_dim');
  return attend(node, { query, key, value }, positions);
};

/** Attention of queries to keys and values that are projected already; biases are side by side. */
const multiHeadAttention: Operator = (node) => {
  const [query, key, value] = [node.input(0), node.optional(1), node.optional(2)];
  const [bias, positions] = [node.optional(3), node.optional(5)];
  if (!key || !value || query.shape.length !== 3) {
    throw node.refusal('queries, keys and values of three axes', 'packed ones');
  }
  const width = query.shape[2]!;
  const shifted = (x: Tensor, from: number, length: number) =>
    bias && x.shape.length === 3 ? add(x, sliceAxis(bias, 0, from, from + length)) : x;
  const heads = {
    query: shifted(query, 0, width),
    key: shifted(key, width, width),
    value: shifted(value, 2 * width, (bias?.shape[0] ?? 0) - 2 * width),
  };
  return attend(node, heads, positions);
};

/** Operators of ONNX Runtime's own domain, as its optimizer writes them. Source: docs/ContribOperators.md. */
export const microsoftOperators = {
  ...microsoftActivationOperators,
  ...microsoftNormalizationOperators,
  FusedMatMul: fusedMatMul,
  FusedConv: fusedConv,
  MatMulNBits: nBits,
  MatMulBnb4: bnb4,
  Attention: selfAttention,
  MultiHeadAttention: multiHeadAttention,
} satisfies Readonly<Record<string, Operator>>;
