import { argument, floats, ints } from '../../../../../../test/support/onnx-model.js';
import { compareOperators, type OperatorCase } from './cases.js';

const picture = argument([1, 2, 7, 6], 1, 2);
const none = floats([0], []);

const sized = (rows: number, columns: number) => [picture, undefined, undefined, ints([1, 2, rows, columns])];
const scaled = (rows: number, columns: number) => [picture, none, floats([4], [1, 1, rows, columns])];

const modes = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'];
const resizes = ['linear', 'cubic', 'nearest'].flatMap((mode) =>
  modes.flatMap((coordinates): OperatorCase[] => {
    const attributes = { mode, coordinate_transformation_mode: coordinates };
    return [
      { what: `${mode} by ${coordinates} to a size`, attributes, inputs: sized(10, 3), relative: 1e-4 },
      { what: `${mode} by ${coordinates} by factors`, attributes, inputs: scaled(0.7, 2.5), relative: 1e-4 },
    ];
  }),
);

compareOperators({
  MaxPool: [
    { inputs: [picture], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    {
      what: 'with uneven borders',
      inputs: [picture],
      attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 2, 1] },
    },
    { what: 'rounding up', inputs: [picture], attributes: { kernel_shape: [3, 4], strides: [2, 3], ceil_mode: 1 } },
    {
      what: 'as many as steps',
      inputs: [picture],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' },
    },
    { what: 'over one axis', inputs: [argument([2, 3, 8])], attributes: { kernel_shape: [3] } },
  ],
  AveragePool: [
    { inputs: [picture], attributes: { kernel_shape: [2, 3], strides: [2, 2] } },
    { what: 'with borders', inputs: [picture], attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 0] } },
    {
      what: 'with borders that count',
      inputs: [picture],
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 0], count_include_pad: 1 },
    },
    {
      what: 'rounding up',
      opset: 19,
      inputs: [picture],
      attributes: { kernel_shape: [3, 4], strides: [2, 3], ceil_mode: 1 },
    },
  ],
  GlobalAveragePool: [{ inputs: [picture] }],
  GlobalMaxPool: [{ inputs: [picture] }],
  Resize: [
    ...resizes,
    ...['round_prefer_ceil', 'floor', 'ceil'].map(
      (rounding): OperatorCase => ({
        what: `nearest with ${rounding}`,
        attributes: { nearest_mode: rounding, coordinate_transformation_mode: 'asymmetric' },
        inputs: sized(12, 4),
      }),
    ),
    {
      what: 'cubic without what is outside',
      attributes: { mode: 'cubic', exclude_outside: 1, cubic_coeff_a: { float: -0.5 } },
      inputs: sized(9, 8),
      relative: 1e-4,
    },
    {
      what: 'smoothed when shrinking',
      opset: 18,
      attributes: { mode: 'linear', antialias: 1, axes: [2, 3] },
      inputs: [picture, undefined, undefined, ints([3, 4])],
      relative: 1e-4,
    },
    {
      what: 'smoothed cubic',
      opset: 18,
      attributes: { mode: 'cubic', antialias: 1, axes: [2, 3], cubic_coeff_a: { float: -0.5 } },
      inputs: [picture, undefined, undefined, ints([3, 4])],
      relative: 1e-4,
    },
    {
      what: 'keeping the aspect',
      opset: 18,
      attributes: { mode: 'linear', keep_aspect_ratio_policy: 'not_larger', axes: [2, 3] },
      inputs: [picture, undefined, undefined, ints([10, 3])],
      relative: 1e-4,
    },
    { what: 'of rows alone', attributes: { mode: 'linear' }, inputs: scaled(2, 1) },
  ],
  GridSample: [
    { opset: 16, inputs: [picture, argument([1, 3, 4, 2], 5, 1.3)] },
    {
      what: 'of the nearest',
      opset: 16,
      attributes: { mode: 'nearest', padding_mode: 'border', align_corners: 1 },
      inputs: [picture, argument([1, 3, 4, 2], 5, 1.3)],
    },
  ],
});
