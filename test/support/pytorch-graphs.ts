import { floats, type GraphSpec, ints, type ModelSpec, type NodeSpec, node, noise } from './onnx-model.js';

const width = 8;

/** A layer norm as opsets before 17 have it. */
function decomposedNorm(name: string, x: string, y: string): NodeSpec[] {
  const at = (part: string) => `${name}/${part}`;
  return [
    node('ReduceMean', [x], at('mean'), { axes: [-1] }),
    node('Sub', [x, at('mean')], at('centred')),
    node('Constant', [], at('two'), { value: { tensor: floats([], [2]) } }),
    node('Pow', [at('centred'), at('two')], at('squares')),
    node('ReduceMean', [at('squares')], at('variance'), { axes: [-1] }),
    node('Constant', [], at('epsilon'), { value: { tensor: floats([], [1e-5]) } }),
    node('Add', [at('variance'), at('epsilon')], at('sum')),
    node('Sqrt', [at('sum')], at('deviation')),
    node('Div', [at('centred'), at('deviation')], at('normal')),
    node('Mul', [at('normal'), `${name}.weight`], at('scaled')),
    node('Add', [at('scaled'), `${name}.bias`], y),
  ];
}

/** GELU by the error function. */
function decomposedGelu(name: string, x: string, y: string): NodeSpec[] {
  const at = (part: string) => `${name}/${part}`;
  return [
    node('Constant', [], at('root'), { value: { tensor: floats([], [Math.SQRT2]) } }),
    node('Div', [x, at('root')], at('scaled')),
    node('Erf', [at('scaled')], at('erf')),
    node('Constant', [], at('one'), { value: { tensor: floats([], [1]) } }),
    node('Add', [at('erf'), at('one')], at('above')),
    node('Mul', [x, at('above')], at('twice')),
    node('Constant', [], at('half'), { value: { tensor: floats([], [0.5]) } }),
    node('Mul', [at('twice'), at('half')], y),
  ];
}

/** One size of a tensor, as a list of one. */
function sizeOf(name: string, x: string, axis: number, y: string): NodeSpec[] {
  return [
    node('Shape', [x], `${name}/shape`),
    node('Gather', [`${name}/shape`, `${name}/axis`], `${name}/size`, { axis: 0 }),
    node('Constant', [], `${name}/axis`, { value: { tensor: ints(axis) } }),
    node('Constant', [], `${name}/place`, { value: { tensor: ints([0]) } }),
    node('Unsqueeze', [`${name}/size`, `${name}/place`], y),
  ].toSorted((a, b) => Number(b.type === 'Constant') - Number(a.type === 'Constant'));
}

/** A parameter of noise with names as PyTorch gives them. */
const constants: NonNullable<GraphSpec['constants']> = {
  'patch.weight': floats([width, 3, 4, 4], (index) => 0.3 * noise(1)(index)),
  'patch.bias': floats([width], noise(2)),
  cls: floats([1, 1, width], noise(3)),
  positions: floats([1, 4, width], noise(4)),
  'norm.weight': floats([width], (index) => 1 + 0.3 * noise(5)(index)),
  'norm.bias': floats([width], noise(6)),
  'onnx::MatMul_217': floats([width, 3 * width], (index) => 0.4 * noise(7)(index)),
  'attention.bias': floats([3 * width], noise(8)),
  'fc1.weight': floats([2 * width, width], (index) => 0.4 * noise(9)(index)),
  'fc1.bias': floats([2 * width], noise(10)),
  minusOne: ints([-1]),
  heads: ints([2]),
  headWidth: ints([width / 2]),
  three: ints([3]),
  one: ints([1]),
  widthSize: ints([width]),
};

/**
 * A vision transformer of one block, with the chains of operators that PyTorch's exporters write: any batch, any size of
 * image, positions resized, tokens of the batch from the shape of the pixels.
 */
export const visionTransformer: ModelSpec = {
  opset: 14,
  inputs: { pixel_values: ['float32', ['batch', 3, 'height', 'width']] },
  constants,
  nodes: [
    node('Conv', ['pixel_values', 'patch.weight', 'patch.bias'], 'map', {
      kernel_shape: [4, 4],
      strides: [4, 4],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
      group: 1,
    }),
    ...sizeOf('batch', 'map', 0, 'batchSize'),
    ...sizeOf('rows', 'map', 2, 'rowCount'),
    ...sizeOf('columns', 'map', 3, 'columnCount'),
    // Positions: a square table, transposed into an image, resized to the grid, and back.
    node('Transpose', ['positions'], 'positions/first', { perm: [0, 2, 1] }),
    node('Constant', [], 'square', { value: { tensor: ints([1, width, 2, 2]) } }),
    node('Reshape', ['positions/first', 'square'], 'positions/image'),
    node('Constant', [], 'imageAxes', { value: { tensor: ints([1, width]) } }),
    node('Concat', ['imageAxes', 'rowCount', 'columnCount'], 'positions/size', { axis: 0 }),
    {
      ...node('Resize', ['positions/image', '', '', 'positions/size'], 'positions/resized', {
        mode: 'cubic',
        coordinate_transformation_mode: 'pytorch_half_pixel',
        cubic_coeff_a: { float: -0.75 },
      }),
    },
    node('Mul', ['rowCount', 'columnCount'], 'patchCount'),
    node('Concat', ['imageAxes', 'patchCount'], 'positions/flatSize', { axis: 0 }),
    node('Reshape', ['positions/resized', 'positions/flatSize'], 'positions/flat'),
    node('Transpose', ['positions/flat'], 'positions/tokens', { perm: [0, 2, 1] }),
    // Patches as tokens.
    node('Concat', ['batchSize', 'widthSize', 'minusOne'], 'flatShape', { axis: 0 }),
    node('Reshape', ['map', 'flatShape'], 'flat'),
    node('Transpose', ['flat'], 'patches', { perm: [0, 2, 1] }),
    node('Add', ['patches', 'positions/tokens'], 'placed'),
    // `expand(batch, −1, −1)` as it is traced.
    node('Concat', ['batchSize', 'minusOne', 'minusOne'], 'wanted', { axis: 0 }),
    node('Shape', ['wanted'], 'wanted/rank'),
    node('ConstantOfShape', ['wanted/rank'], 'ones', { value: { tensor: ints([1]) } }),
    node('Mul', ['ones', 'minusOne'], 'minusOnes'),
    node('Equal', ['wanted', 'minusOnes'], 'isOpen'),
    node('Where', ['isOpen', 'ones', 'wanted'], 'expandShape'),
    node('Expand', ['cls', 'expandShape'], 'cls/expanded'),
    node('Concat', ['cls/expanded', 'placed'], 'tokens', { axis: 1 }),
    ...decomposedNorm('norm', 'tokens', 'normal'),
    node('MatMul', ['normal', 'onnx::MatMul_217'], 'qkv/product'),
    node('Add', ['attention.bias', 'qkv/product'], 'qkv/flat'),
    ...sizeOf('count', 'normal', 1, 'tokenCount'),
    node('Concat', ['batchSize', 'tokenCount', 'three', 'heads', 'headWidth'], 'qkv/shape', { axis: 0 }),
    node('Reshape', ['qkv/flat', 'qkv/shape'], 'qkv/split'),
    node('Transpose', ['qkv/split'], 'qkv', { perm: [2, 0, 3, 1, 4] }),
    { type: 'Split', inputs: ['qkv'], outputs: ['q/1', 'k/1', 'v/1'], attributes: { axis: 0 } },
    node('Constant', [], 'first', { value: { tensor: ints([0]) } }),
    ...['q', 'k', 'v'].map((name) => node('Squeeze', [`${name}/1`, 'first'], name)),
    node('Transpose', ['k'], 'keys', { perm: [0, 1, 3, 2] }),
    // 1 / √width from the shape, as scaled_dot_product_attention traces it.
    node('Shape', ['q'], 'q/shape'),
    node('Constant', [], 'beyond', { value: { tensor: ints([2n ** 63n - 1n]) } }),
    node('Slice', ['q/shape', 'minusOne', 'beyond'], 'q/width'),
    node('Cast', ['q/width'], 'q/widthFloat', { to: 1 }),
    node('Sqrt', ['q/widthFloat'], 'q/root'),
    node('Reciprocal', ['q/root'], 'scale'),
    node('MatMul', ['q', 'keys'], 'scores/raw'),
    node('Mul', ['scores/raw', 'scale'], 'scores'),
    node('Softmax', ['scores'], 'weights', { axis: -1 }),
    node('MatMul', ['weights', 'v'], 'mixed/heads'),
    node('Transpose', ['mixed/heads'], 'mixed/order', { perm: [0, 2, 1, 3] }),
    node('Concat', ['batchSize', 'tokenCount', 'widthSize'], 'mixed/shape', { axis: 0 }),
    node('Reshape', ['mixed/order', 'mixed/shape'], 'mixed'),
    node('Add', ['tokens', 'mixed'], 'hidden'),
    // A layer as Gemm over all rows.
    node('Concat', ['minusOne', 'widthSize'], 'rowsShape', { axis: 0 }),
    node('Reshape', ['hidden', 'rowsShape'], 'rowsFlat'),
    node('Gemm', ['rowsFlat', 'fc1.weight', 'fc1.bias'], 'fc1', { transB: 1, alpha: { float: 1 }, beta: { float: 1 } }),
    ...decomposedGelu('act', 'fc1', 'active'),
    node('Constant', [], 'wide', { value: { tensor: ints([2 * width]) } }),
    node('Concat', ['batchSize', 'tokenCount', 'wide'], 'outShape', { axis: 0 }),
    node('Reshape', ['active', 'outShape'], 'withClass'),
    // Without the class token, in reverse.
    node('Constant', [], 'last', { value: { tensor: ints([-1]) } }),
    node('Constant', [], 'zero', { value: { tensor: ints([0]) } }),
    node('Slice', ['withClass', 'last', 'zero', 'one', 'last'], 'last_hidden_state'),
    node('ReduceMean', ['withClass'], 'pooled', { axes: [1], keepdims: 0 }),
  ],
  outputs: { last_hidden_state: 'float32', pooled: 'float32' },
};
