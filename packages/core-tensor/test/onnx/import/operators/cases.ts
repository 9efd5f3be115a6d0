import { afterAll, describe, test } from 'vitest';
import {
  type AttributeSpec,
  argument,
  type ConstantSpec,
  node,
  onnxModel,
} from '../../../../../../test/support/onnx-model.js';
import { closeEngine, type Tensor } from '../../../../src/index.js';
import { type CompareOptions, expectLikeOrt } from '../../../support/expect-like-ort.js';

/** A node and what it is applied to. */
export interface OperatorCase extends CompareOptions {
  /** What is particular about it. */
  readonly what?: string;
  readonly opset?: number;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
  /** Arguments, then constants, in the order of the node's inputs; undefined for one that is left out. */
  readonly inputs: readonly (Tensor | ConstantSpec | undefined)[];
  /** Types of the results. Default: one of float32. */
  readonly outputs?: readonly string[];
}

/** Arguments of different numbers, by their shapes. */
export function args(...shapes: readonly (readonly number[])[]): Tensor[] {
  return shapes.map((shape, index) => argument(shape, index + 1, 2));
}

/** Tests that operators give what ONNX Runtime gives. */
export function compareOperators(cases: Readonly<Record<string, readonly OperatorCase[]>>): void {
  afterAll(closeEngine);

  describe.each(Object.entries(cases))('%s', (type, list) => {
    test.each(list.map((each, index) => [each.what ?? `case ${index + 1}`, each] as const))(
      'gives what ONNX Runtime gives, %s',
      async (_what, { opset, domain = '', attributes = {}, inputs, outputs = ['float32'], ...options }) => {
        const isArgument = (input: Tensor | ConstantSpec | undefined): input is Tensor => !!input && 'dtype' in input;
        const names = inputs.map((input, index) => (input ? `input${index}` : ''));
        const given = Object.fromEntries(inputs.flatMap((each, i) => (isArgument(each) ? [[names[i]!, each]] : [])));
        const results = outputs.map((_, index) => `output${index}`);
        const bytes = onnxModel({
          ...(opset !== undefined && { opset }),
          inputs: Object.fromEntries(
            Object.entries(given).map(([name, { dtype, shape }]) => [
              name,
              [dtype, shape.map((_s, i) => `${name}_${i}`)],
            ]),
          ),
          constants: Object.fromEntries(
            inputs.flatMap((each, i) => (each && !isArgument(each) ? [[names[i]!, each]] : [])),
          ),
          nodes: [{ ...node(type, names, '', attributes, domain), outputs: results }],
          outputs: Object.fromEntries(results.map((name, index) => [name, outputs[index]!])),
        });
        await expectLikeOrt(bytes, given, options);
      },
    );
  });
}
