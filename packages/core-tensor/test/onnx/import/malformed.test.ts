import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import {
  argument,
  floats,
  ints,
  type ModelSpec,
  type NodeSpec,
  node,
  onnxModel,
} from '../../../../../test/support/onnx-model.js';
import { visionTransformer } from '../../../../../test/support/pytorch-graphs.js';
import { importOnnx, OcelliError, OnnxError, tensor } from '../../../src/index.js';
import { modelType } from '../../../src/onnx/schema.js';

const one = (each: NodeSpec, more: Partial<ModelSpec> = {}): ModelSpec => ({
  inputs: { x: ['float32', ['n', 4]] },
  nodes: [each],
  outputs: { [each.outputs[0]!]: 'float32' },
  ...more,
});

/** The error of importing a model, and of recording it. */
function errorOf(model: ModelSpec | Uint8Array, x = argument([2, 4])): OnnxError {
  try {
    importOnnx(model instanceof Uint8Array ? model : onnxModel(model)).forward({ x });
  } catch (error) {
    expect(error).toBeInstanceOf(OnnxError);
    return error as OnnxError;
  }
  throw new Error('nothing was refused');
}

describe('what is not supported', () => {
  it('is an operator, named with its node and what is supported; all of them are listed', () => {
    const error = errorOf({
      inputs: { x: ['float32', ['n', 4]] },
      nodes: [
        { ...node('Det', ['x'], 'a'), name: 'determinant' },
        node('Relu', ['a'], 'b'),
        node('StringNormalizer', ['b'], 'y'),
        node('Det', ['x'], 'unused'),
      ],
      outputs: { y: 'float32' },
    });
    expect(error).toMatchObject({ node: 'determinant', operator: 'Det' });
    expect(error.received).toBe('Det (node "determinant"), StringNormalizer (node "y")');
    expect(error.expected).toMatch(/^operators among Abs, Add, .*, Where, Xor$/);
  });

  it('is an operator of another domain', () => {
    const error = errorOf(one(node('Rfft', ['x'], 'y', {}, 'com.microsoft')));
    expect(error.operator).toBe('com.microsoft.Rfft');
    expect(error.message).toContain('FusedMatMul');
    expect(errorOf(one(node('Any', ['x'], 'y', {}, 'my.own'))).message).toContain('received "my.own"');
  });

  it('is an operator that only an output needs which nobody asks for', () => {
    const model = onnxModel({
      inputs: { x: ['float32', [4]] },
      nodes: [node('Det', ['x'], 'a'), node('Relu', ['x'], 'b')],
      outputs: { a: 'float32', b: 'float32' },
    });
    expect(importOnnx(model, { outputs: ['b'] }).outputs).toEqual(['b']);
    expect(() => importOnnx(model)).toThrow(OnnxError);
    expect(() => importOnnx(model, { outputs: ['c'] })).toThrow('expected outputs among a, b, or other values');
  });

  test.each([
    ['an opset that is too old', { opset: 9 }, /in a version from 11 to 22, received opset 9.*opset_version/],
    ['an opset that is too new', { opset: 23 }, /received opset 23/],
  ])('is %s', (_, change, message) => {
    expect(errorOf({ ...one(node('Relu', ['x'], 'y')), ...change }).message).toMatch(message);
  });

  test.each<[string, NodeSpec, RegExp]>([
    [
      'an attribute',
      node('Relu', ['x'], 'y', { slope: 3 }),
      /\(Relu, node "y"\): expected attributes among none, received slope, which is not supported/,
    ],
    [
      'an attribute of another kind',
      node('Softmax', ['x'], 'y', { axis: 'last' }),
      /attribute axis as int, received string/,
    ],
    [
      'a value of an attribute',
      node('Pad', ['x', 'zeros'], 'y', { mode: 'fancy' }),
      /mode among constant, reflect, .*"fancy"/,
    ],
    ['an input', node('Relu', ['x', 'x'], 'y'), /expected no input 1, received one/],
    ['a missing input', node('Add', ['x'], 'y'), /expected an input 1, received 1 inputs/],
    [
      'a second result',
      { ...node('Relu', ['x'], 'y'), outputs: ['y', 'z'] },
      /expected 1 results at most, received result 1/,
    ],
    ['dropping', node('Dropout', ['x', 'half', 'yes'], 'y'), /a model for inference.*evaluation mode/],
    ['a type', node('Cast', ['x'], 'y', { to: 17 }), /to with a type that is supported, received float8e4m3fn/],
    ['a text', node('Cast', ['x'], 'y', { to: 8 }), /received string/],
    [
      'a shape that depends on data',
      node('Reshape', ['x', 'x'], 'y'),
      /input 1 that follows from shapes and constants, received one that is computed from the values of the arguments/,
    ],
    ['shapes that do not fit', node('MatMul', ['x', 'matrix'], 'y'), /\(MatMul, node "y"\): .*\[2, 4\] and \[3, 3\]/],
    ['a reshape to another size', node('Reshape', ['x', 'zeros'], 'y'), /\(Reshape, node "y"\)/],
    ['an index beyond an axis', node('Gather', ['x', 'far'], 'y', { axis: 1 }), /indices between -4 and 3, received 9/],
  ])('is %s', (_, each, message) => {
    const constants = {
      zeros: ints([0, 1, 2, 3]),
      matrix: floats([3, 3], () => 1),
      half: floats([], [0.5]),
      yes: { type: 'bool', shape: [], data: Uint8Array.of(1) },
      far: ints([9]),
    } as const;
    expect(errorOf({ ...one(each), constants, opset: 19 }).message).toMatch(message);
  });

  it('is a type of elements', () => {
    const bytes = onnxModel(one(node('Relu', ['x'], 'y')));
    const model = modelType.toObject(modelType.decode(bytes)) as {
      graph: { input: { type: { tensor_type: { elem_type: number } } }[] };
    };
    model.graph.input[0]!.type.tensor_type.elem_type = 8;
    const text = modelType.encode(modelType.fromObject(model)).finish();
    expect(errorOf(text).message).toMatch(/expected a tensor of float32, .* as input "x", received string/);
  });
});

describe('a malformed model', () => {
  const bytes = onnxModel(visionTransformer);
  let folder: string | undefined;
  afterAll(async () => {
    if (folder) await rm(folder, { recursive: true });
  });

  test.each<[string, ModelSpec, RegExp]>([
    [
      'an input that nothing computes',
      one(node('Relu', ['z'], 'y')),
      /inputs that can be computed .*"z", which cannot/,
    ],
    [
      'a circle',
      { ...one(node('Relu', ['b'], 'a')), nodes: [node('Add', ['x', 'b'], 'a'), node('Neg', ['a'], 'b')] },
      /inputs that can be computed before the node, received "(a|b)"/,
    ],
    [
      'two results of a name',
      { ...one(node('Relu', ['x'], 'y')), nodes: [node('Relu', ['x'], 'y'), node('Neg', ['x'], 'y')] },
      /results of different names, received "y" twice/,
    ],
    [
      'an output that nothing computes',
      { ...one(node('Relu', ['x'], 'y')), outputs: { w: 'float32' } },
      /"w", which it does/,
    ],
    ['no output', { ...one(node('Relu', ['x'], 'y')), outputs: {} }, /results that the graph computes, received none/],
    [
      'a constant of fewer bytes than its shape has',
      { ...one(node('Add', ['x', 'c'], 'y')), constants: { c: { ...floats([3], () => 1), shape: [4] } } },
      /\(tensor "c"\): expected 16 bytes for float32 \[4\], received 12 in the model/,
    ],
    [
      'a constant of a negative size',
      { ...one(node('Add', ['x', 'c'], 'y')), constants: { c: { ...floats([1], () => 1), shape: [-1] } } },
      /\(tensor "c"\): expected a shape of whole sizes, received \[-1\]/,
    ],
  ])('with %s is refused', (_, model, message) => {
    expect(errorOf(model).message).toMatch(message);
  });

  it('is no model at all', async () => {
    folder = await mkdtemp(join(tmpdir(), 'ocelli-malformed-'));
    const file = join(folder, 'model.onnx');
    await writeFile(file, 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n');
    expect(() => importOnnx(file)).toThrow(OnnxError);
    expect(() => importOnnx(file)).toThrow(/model\.onnx: expected an ONNX model/);
    expect(() => importOnnx(new Uint8Array(0))).toThrow(/expected an ONNX model with a graph/);
    expect(() => importOnnx(folder!)).toThrow(/expected a file that can be read, received it is no regular file/);
    expect(() => importOnnx(join(folder!, 'nowhere.onnx'))).toThrow(/nowhere\.onnx: expected a file .* ENOENT/);
  });

  /** Reads and records damaged bytes: a typed error, or a model that happens to be sound. */
  function attempt(damaged: Uint8Array): 'refused' | 'recorded' {
    try {
      const model = importOnnx(damaged);
      const inputs = model.inputs.map(({ name }) => [name, argument([1, 3, 8, 8])]);
      model.forward(Object.fromEntries(inputs));
      return 'recorded';
    } catch (error) {
      if (error instanceof OcelliError) return 'refused';
      throw error;
    }
  }

  it('is refused wherever it is cut off', () => {
    const ends = Array.from({ length: 150 }, (_, index) => Math.floor((index * bytes.length) / 150));
    for (const end of ends) expect(attempt(bytes.subarray(0, end)), `${end} bytes`).toBe('refused');
    expect(attempt(bytes)).toBe('recorded');
  });

  it('never fails in any other way, whichever bytes are changed', () => {
    let state = 12345;
    const random = (limit: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const counts = { refused: 0, recorded: 0 };
    for (let round = 0; round < 1500; round++) {
      const damaged = bytes.slice();
      for (let changes = 1 + random(4); changes > 0; changes--) {
        const place = random(damaged.length);
        const kind = random(3);
        damaged[place] = kind === 0 ? random(256) : kind === 1 ? damaged[place]! ^ (1 << random(8)) : 255;
      }
      counts[attempt(damaged)]++;
    }
    expect(counts.refused).toBeGreaterThan(300);
    expect(counts.recorded).toBeGreaterThan(100);
  });

  it('never fails in any other way, whatever is exchanged in its structure', () => {
    const source = modelType.toObject(modelType.decode(bytes), { longs: Number }) as {
      graph: { node: { op_type: string; input?: string[]; attribute?: object[] }[] };
    };
    const nodes = source.graph.node;
    const types = [...new Set(nodes.map(({ op_type: type }) => type))];
    const names = nodes.flatMap(({ input = [] }) => input);
    let state = 99;
    const pick = <Item>(list: readonly Item[]): Item => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return list[Math.floor((state / 2 ** 32) * list.length)]!;
    };
    for (let round = 0; round < 500; round++) {
      const index = nodes.indexOf(pick(nodes));
      const changed = nodes.map((each) => ({ ...each }));
      const target = changed[index]!;
      const change = pick(['type', 'input', 'attributes', 'drop'] as const);
      if (change === 'type') target.op_type = pick(types);
      if (change === 'input') target.input = (target.input ?? []).map((name) => pick([name, pick(names), '']));
      if (change === 'attributes') target.attribute = pick(nodes).attribute ?? [];
      const graph = { ...source.graph, node: change === 'drop' ? changed.filter((_, i) => i !== index) : changed };
      attempt(modelType.encode(modelType.fromObject({ ...source, graph })).finish());
    }
  });
});

it('says which tensor of the arguments does not fit, not the node', () => {
  const model = importOnnx(onnxModel(one(node('Relu', ['x'], 'y'))));
  expect(() => model.forward({ x: tensor([1]) })).toThrow('expected x [n, 4]');
});
