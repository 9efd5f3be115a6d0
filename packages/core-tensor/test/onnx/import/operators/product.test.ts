import { argument, floats, ints, noise } from '../../../../../../test/support/onnx-model.js';
import { quantizeNBits } from '../../../../src/index.js';
import { args, compareOperators } from './cases.js';

const picture = argument([2, 4, 7, 6], 1);
const kernels = floats([6, 4, 3, 2], noise(3));
const bias = floats([6], noise(4));
const images = (shape: readonly number[]) => argument(shape, 9);

compareOperators({
  MatMul: [
    { inputs: args([2, 1, 3, 4], [5, 4, 2]) },
    { what: 'of a row', inputs: args([4], [2, 4, 3]) },
    { what: 'of a column', inputs: args([2, 3, 4], [4]) },
    { what: 'of vectors', inputs: args([4], [4]) },
  ],
  Gemm: [
    { inputs: args([2, 3], [3, 4]) },
    {
      what: 'scaled and shifted',
      inputs: [...args([3, 2], [4, 3]), floats([4], noise(2))],
      attributes: { transA: 1, transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } },
    },
  ],
  Einsum: [
    { inputs: args([2, 3, 4], [2, 5, 4]), attributes: { equation: 'bij,bkj->bik' } },
    {
      what: 'with leading axes',
      inputs: args([2, 3, 4, 5], [2, 3, 5, 2]),
      attributes: { equation: '...ij, ...jk -> ...ik' },
    },
    { what: 'with a result that follows', inputs: args([3, 4], [4, 2]), attributes: { equation: 'ij,jk' } },
    { what: 'of one', inputs: args([3, 4]), attributes: { equation: 'ij->ji' } },
  ],
  Conv: [
    { inputs: [picture, kernels, bias] },
    {
      what: 'with steps and uneven borders',
      inputs: [picture, kernels],
      attributes: { strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2] },
    },
    {
      what: 'in groups',
      inputs: [picture, floats([6, 2, 3, 3], noise(5))],
      attributes: { group: 2, pads: [1, 1, 1, 1] },
    },
    {
      what: 'of patches',
      inputs: [images([1, 3, 8, 8]), floats([5, 3, 4, 4], noise(6))],
      attributes: { strides: [4, 4] },
    },
    { what: 'as large as before', inputs: [picture, kernels], attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] } },
    { what: 'as large as before, from below', inputs: [picture, kernels], attributes: { auto_pad: 'SAME_LOWER' } },
    { what: 'over one axis', inputs: [images([2, 3, 9]), floats([4, 3, 3], noise(7))], attributes: { pads: [2, 1] } },
  ],
  ConvTranspose: [
    { inputs: [images([1, 4, 3, 4]), floats([4, 2, 3, 3], noise(1)), floats([2], noise(2))] },
    {
      what: 'with steps',
      inputs: [images([1, 4, 3, 4]), floats([4, 2, 3, 3], noise(1))],
      attributes: { strides: [2, 3], pads: [1, 0, 0, 1], output_padding: [1, 2] },
    },
    {
      what: 'to a size',
      inputs: [images([1, 4, 3, 4]), floats([4, 1, 3, 3], noise(1))],
      attributes: { strides: [2, 2], output_shape: [8, 9], group: 2 },
    },
    {
      what: 'to as many steps',
      inputs: [images([1, 2, 3, 3]), floats([2, 2, 4, 4], noise(1))],
      attributes: { strides: [2, 2], auto_pad: 'SAME_UPPER' },
    },
    { what: 'over one axis', inputs: [images([1, 2, 5]), floats([2, 3, 4], noise(3))], attributes: { strides: [2] } },
  ],
});

const codes = quantizeNBits(
  Float32Array.from({ length: 8 * 40 }, (_, index) => noise(3)(index)),
  [8, 40],
  {
    bits: 4,
    blockSize: 16,
    symmetric: false,
  },
);
const tokens = [2, 3, 16] as const;

compareOperators({
  FusedMatMul: [
    {
      domain: 'com.microsoft',
      inputs: args([2, 4, 3], [2, 5, 4]),
      attributes: { transA: 1, transB: 1, alpha: { float: 0.25 } },
    },
  ],
  FusedConv: [
    { domain: 'com.microsoft', inputs: [picture, kernels, bias], attributes: { activation: 'Relu' } },
    {
      what: 'with something added',
      domain: 'com.microsoft',
      inputs: [picture, kernels, bias, argument([2, 6, 5, 5], 8)],
      attributes: { activation: 'LeakyRelu', activation_params: { floats: [0.3] } },
    },
  ],
  MatMulNBits: [
    {
      domain: 'com.microsoft',
      inputs: [
        argument([2, 3, 40]),
        { type: 'uint8', shape: [8, 3, 8], data: codes.packed },
        { type: 'float32', shape: [8, 3], data: codes.scales },
        { type: 'uint8', shape: [8, 2], data: codes.zeroPoints! },
      ],
      attributes: { K: 40, N: 8, bits: 4, block_size: 16 },
    },
  ],
  Attention: [
    {
      domain: 'com.microsoft',
      inputs: [argument(tokens), floats([16, 48], noise(2)), floats([48], noise(3))],
      attributes: { num_heads: 4 },
    },
    {
      what: 'with positions',
      domain: 'com.microsoft',
      inputs: [
        argument(tokens),
        floats([16, 48], noise(2)),
        floats([48], noise(3)),
        undefined,
        undefined,
        argument([2, 4, 3, 3], 7),
      ],
      attributes: { num_heads: 4, scale: { float: 0.3 } },
    },
  ],
  MultiHeadAttention: [
    {
      domain: 'com.microsoft',
      inputs: [...args(tokens, [2, 5, 16], [2, 5, 16]), floats([48], noise(3))],
      attributes: { num_heads: 2 },
    },
  ],
  Gelu: [{ domain: 'com.microsoft', inputs: args([2, 8]) }],
  BiasGelu: [{ domain: 'com.microsoft', inputs: args([2, 8], [8]) }],
  FastGelu: [{ domain: 'com.microsoft', inputs: [...args([2, 8]), floats([8], noise(1))] }],
  QuickGelu: [
    { domain: 'com.microsoft', inputs: args([2, 8]) },
    { what: 'as SiLU', domain: 'com.microsoft', inputs: args([2, 8]), attributes: { alpha: { float: 1 } } },
  ],
  SkipLayerNormalization: [
    {
      domain: 'com.microsoft',
      inputs: [...args(tokens, tokens), floats([16], noise(1)), floats([16], noise(2)), floats([16], noise(3))],
      attributes: { epsilon: { float: 1e-6 } },
    },
  ],
  SkipSimplifiedLayerNormalization: [
    {
      domain: 'com.microsoft',
      inputs: [...args(tokens, tokens), floats([16], noise(1))],
      attributes: { epsilon: { float: 1e-6 } },
    },
  ],
});

compareOperators({
  BitShift: [
    {
      inputs: [
        { type: 'uint8', shape: [3], data: Uint8Array.of(255, 3, 16) },
        { type: 'uint8', shape: [], data: Uint8Array.of(4) },
      ],
      attributes: { direction: 'RIGHT' },
      outputs: ['uint8'],
    },
  ],
  BitwiseAnd: [
    {
      opset: 18,
      inputs: [
        { type: 'uint8', shape: [3], data: Uint8Array.of(255, 3, 16) },
        { type: 'uint8', shape: [], data: Uint8Array.of(19) },
      ],
      outputs: ['uint8'],
    },
  ],
  NonZero: [{ inputs: [ints([0, 4])], outputs: ['int64'] }],
});
