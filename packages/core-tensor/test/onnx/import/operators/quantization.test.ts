import { argument, floats, noise } from '../../../../../../test/support/onnx-model.js';
import { compareOperators } from './cases.js';

const bytes = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, index) => 128 + 127 * noise(seed)(index));
const signed = (length: number, seed: number) => Int8Array.from({ length }, (_, index) => 127 * noise(seed)(index));
const x = argument([3, 8], 1, 4);

compareOperators({
  DequantizeLinear: [
    {
      inputs: [
        { type: 'int8', shape: [3, 8], data: signed(24, 1) },
        floats([8], (index) => 0.01 * (index + 1)),
        { type: 'int8', shape: [8], data: signed(8, 2) },
      ],
    },
    { what: 'by one scale', inputs: [{ type: 'uint8', shape: [3, 8], data: bytes(24, 1) }, floats([], [0.05])] },
    {
      what: 'in blocks of 4 bits',
      opset: 21,
      attributes: { axis: 1, block_size: 4 },
      inputs: [{ type: 'int4', shape: [3, 8], data: bytes(12, 3) }, floats([3, 2], (index) => 0.1 * (index + 1))],
    },
  ],
  QuantizeLinear: [
    {
      inputs: [x, floats([], [0.03]), { type: 'uint8', shape: [], data: Uint8Array.of(120) }],
      outputs: ['uint8'],
    },
    {
      what: 'by columns',
      inputs: [x, floats([8], (index) => 0.01 * (index + 2)), { type: 'int8', shape: [8], data: signed(8, 2) }],
      outputs: ['int8'],
    },
  ],
  DynamicQuantizeLinear: [{ inputs: [x], outputs: ['uint8', 'float32', 'uint8'] }],
  MatMulInteger: [
    {
      inputs: [
        { type: 'uint8', shape: [3, 8], data: bytes(24, 1) },
        { type: 'int8', shape: [8, 4], data: signed(32, 2) },
        { type: 'uint8', shape: [], data: Uint8Array.of(131) },
        { type: 'int8', shape: [4], data: signed(4, 5) },
      ],
      outputs: ['int32'],
    },
  ],
  ConvInteger: [
    {
      inputs: [
        { type: 'uint8', shape: [1, 2, 5, 5], data: bytes(50, 1) },
        { type: 'uint8', shape: [3, 2, 3, 3], data: bytes(54, 2) },
        { type: 'uint8', shape: [], data: Uint8Array.of(120) },
        { type: 'uint8', shape: [], data: Uint8Array.of(7) },
      ],
      attributes: { pads: [1, 1, 1, 1] },
      outputs: ['int32'],
    },
  ],
});
