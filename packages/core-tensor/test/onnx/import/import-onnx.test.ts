import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { argument, floats, ints, node, noise, onnxModel } from '../../../../../test/support/onnx-model.js';
import { visionTransformer } from '../../../../../test/support/pytorch-graphs.js';
import {
  closeEngine,
  compile,
  convert,
  exportOnnx,
  gradients,
  importOnnx,
  mul,
  OnnxModule,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  useEngine,
} from '../../../src/index.js';
import { expectClose } from '../../support/close.js';
import { expectLikeOrt, runOrt } from '../../support/expect-like-ort.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-import-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await closeEngine();
});

const bytes = onnxModel(visionTransformer);
const pixels = (batch: number, height: number, width: number) => argument([batch, 3, height, width], 5);

async function hostOf(x: Tensor) {
  return { shape: x.shape, dtype: x.dtype, data: await x.data() };
}

describe("a graph with the chains of PyTorch's exporters", () => {
  test.each([
    ['one square image', pixels(1, 8, 8)],
    ['a batch of others', pixels(3, 12, 8)],
    ['one of a size that positions are resized for', pixels(2, 16, 20)],
  ])('gives what ONNX Runtime gives for %s', async (_, x) => {
    await expectLikeOrt(bytes, { pixel_values: x });
  });

  it('computes shapes while recording, so that nothing of them is left', () => {
    const { last_hidden_state: y } = importOnnx(bytes).forward({ pixel_values: pixels(2, 12, 8) });
    expect(y!.shape).toEqual([2, 6, 16]);
    const seen = new Set<Tensor>();
    const integers: string[] = [];
    const walk = (each: Tensor): void => {
      if (seen.has(each)) return;
      seen.add(each);
      if (each.source.kind !== 'operation') return;
      if (each.dtype !== 'float32') integers.push(each.source.op);
      each.source.inputs.forEach(walk);
    };
    walk(y!);
    expect(integers).toEqual([]);
    expect(seen.size).toBeGreaterThan(40);
  });

  it('has gradients with respect to its arguments', async () => {
    const x = pixels(1, 8, 8);
    const model = importOnnx(bytes);
    const weigh = (y: Tensor) => sum(mul(y, argument(y.shape, 11)));
    const [dx] = gradients(weigh(model.forward({ pixel_values: x }).last_hidden_state!), [x]);
    const gradient = (await dx!.data()) as Float32Array;
    const values = (await x.data()) as Float32Array;
    const weights = (await argument([1, 4, 16], 11).data()) as Float32Array;
    const lossAt = async (place: number, change: number) => {
      const moved = Float32Array.from(values, (value, index) => (index === place ? value + change : value));
      const { last_hidden_state: y } = await runOrt(bytes, { pixel_values: tensor(moved, [1, 3, 8, 8]) });
      return (y!.data as Float32Array).reduce((total, value, index) => total + value * weights[index]!, 0);
    };
    for (const place of [0, 37, 100, 191]) {
      const slope = ((await lossAt(place, 1e-2)) - (await lossAt(place, -1e-2))) / 2e-2;
      expect(Math.abs(gradient[place]! - slope)).toBeLessThan(3e-3 * Math.max(1, Math.abs(slope)));
    }
  });

  it('runs on other engines', async () => {
    const x = pixels(2, 8, 12);
    const { pooled } = await runOrt(bytes, { pixel_values: x });
    for (const engine of ['reference', 'tfjs'] as const) {
      await useEngine(engine);
      const y = importOnnx(bytes).forward({ pixel_values: x }).pooled!;
      expectClose(await hostOf(y), { shape: [2, 16], dtype: 'float32', data: pooled!.data as Float32Array });
    }
    await useEngine('ort');
  });

  it('is exported again', async () => {
    const path = join(folder, 'again.onnx');
    const x = pixels(2, 8, 12);
    const model = importOnnx(bytes);
    await exportOnnx(path, ({ pixels: given }) => model.forward({ pixel_values: given! }), { inputs: { pixels: x } });
    const [before, after] = [await runOrt(bytes, { pixel_values: x }), await runOrt(path, { pixels: x })];
    for (const name of ['last_hidden_state', 'pooled']) {
      const { dims, data } = before[name]!;
      const actual = { shape: after[name]!.dims, dtype: 'float32', data: after[name]!.data as Float32Array } as const;
      expectClose(actual, { shape: dims, dtype: 'float32', data: data as Float32Array }, { what: name });
    }
    const twice = importOnnx(path).forward({ pixels: x });
    expectClose(await hostOf(twice.pooled!), await hostOf(model.forward({ pixel_values: x }).pooled!));
  });
});

describe('the parameters', () => {
  it('have the names, shapes and values of the file', async () => {
    const model = importOnnx(bytes);
    expect(model).toBeInstanceOf(OnnxModule);
    expect(Object.keys(model.parameters)).toEqual([
      'patch.weight',
      'patch.bias',
      'cls',
      'positions',
      'norm.weight',
      'norm.bias',
      'onnx::MatMul_217',
      'attention.bias',
      'fc1.weight',
      'fc1.bias',
    ]);
    expect(Object.keys(model.namedParameters())[0]).toBe('parameters.patch.weight');
    const weight = model.parameters['fc1.weight']!;
    expect(weight.shape).toEqual([16, 8]);
    expect(await weight.data()).toEqual(visionTransformer.constants!['fc1.weight']!.data);
  });

  it('never train, and are the same after drawing values', async () => {
    const model = importOnnx(bytes).initialize(3).unfreeze();
    expect(model.trainableParameters()).toEqual({});
    expect(await model.parameters['patch.bias']!.data()).toEqual(visionTransformer.constants!['patch.bias']!.data);
  });

  it('can be replaced', async () => {
    const model = importOnnx(bytes);
    const x = pixels(1, 8, 8);
    const run = compile((given: Tensor) => model.forward({ pixel_values: given }).pooled!);
    const before = Array.from((await (await run(x)).data()) as Float32Array);
    model.parameters['fc1.bias']!.set(new Float32Array(16).fill(10));
    const after = Array.from((await (await run(x)).data()) as Float32Array);
    after.forEach((value, index) => {
      expect(value).toBeGreaterThan(before[index]! + 3);
    });
  });
});

describe('the wanted outputs', () => {
  it('may be some of the results, which leaves out what only the others need', () => {
    const model = importOnnx(bytes, { outputs: ['pooled'] });
    expect(model.outputs).toEqual(['pooled']);
    expect(Object.keys(model.forward({ pixel_values: pixels(1, 8, 8) }))).toEqual(['pooled']);
    const early = importOnnx(bytes, { outputs: ['map'] });
    expect(Object.keys(early.parameters)).toEqual(['patch.weight', 'patch.bias']);
  });

  it('may be values on the way', async () => {
    const model = importOnnx(bytes, { outputs: ['hidden', 'tokens'] });
    const { hidden, tokens } = model.forward({ pixel_values: pixels(2, 8, 8) });
    expect(hidden!.shape).toEqual([2, 5, 8]);
    const [whole] = [
      await runOrt(onnxModel({ ...visionTransformer, outputs: { tokens: 'float32' } }), {
        pixel_values: pixels(2, 8, 8),
      }),
    ];
    expectClose(await hostOf(tokens!), {
      shape: [2, 5, 8],
      dtype: 'float32',
      data: whole.tokens!.data as Float32Array,
    });
  });

  it('tell which arguments are needed; others of the file may be given too', () => {
    const two = onnxModel({
      inputs: { a: ['float32', [2]], b: ['float32', [2]] },
      nodes: [node('Neg', ['a'], 'x'), node('Abs', ['b'], 'y')],
      outputs: { x: 'float32', y: 'float32' },
    });
    const model = importOnnx(two, { outputs: ['y'] });
    expect(model.inputs).toEqual([{ name: 'b', type: 'float32', shape: [2] }]);
    expect(model.forward({ b: tensor([1, 2]) }).y!.shape).toEqual([2]);
    expect(model.forward({ a: tensor([1]), b: tensor([1, 2]) }).y!.shape).toEqual([2]);
    expect(() => model.forward({ a: tensor([1, 2]) })).toThrow(ShapeError);
    expect(() => model.forward({ a: tensor([1, 2]) })).toThrow('expected arguments b, received a, without b');
    expect(() => model.forward({ b: tensor([1, 2]), c: tensor([1]) })).toThrow('received c too');
  });
});

describe('a model', () => {
  it('may have its nodes in any order', async () => {
    await expectLikeOrt(
      onnxModel({
        inputs: { x: ['float32', ['n']] },
        nodes: [node('Relu', ['b'], 'y'), node('Neg', ['a'], 'b'), node('Sin', ['x'], 'a')],
        outputs: { y: 'float32' },
      }),
      { x: argument([7]) },
    );
  });

  it('may branch by shapes', async () => {
    const branch = (type: string, weight: number) => ({
      graph: {
        constants: { [`${type}/w`]: floats([3], [weight, 2, 3]) },
        nodes: [node(type, ['x', `${type}/w`], `${type}/y`)],
        outputs: { [`${type}/y`]: 'float32' },
      },
    });
    const model = onnxModel({
      inputs: { x: ['float32', ['n', 3]] },
      nodes: [
        node('Shape', ['x'], 'shape'),
        node('Gather', ['shape', 'zero'], 'rows', { axis: 0 }),
        node('Equal', ['rows', 'one'], 'isOne'),
        node('If', ['isOne'], 'y', { then_branch: branch('Add', 1), else_branch: branch('Mul', -1) }),
      ],
      constants: { zero: ints(0), one: ints(1) },
      outputs: { y: 'float32' },
    });
    await expectLikeOrt(model, { x: argument([1, 3]) });
    await expectLikeOrt(model, { x: argument([2, 3]) });
  });

  it('may compute in half precision', async () => {
    const half = (shape: readonly number[], seed: number) => {
      const { data } = floats(shape, noise(seed));
      return { type: 'float16', shape, data: convert(data as Float32Array, 'float32', 'float16') } as const;
    };
    await expectLikeOrt(
      onnxModel({
        inputs: { x: ['float32', ['n', 6]] },
        constants: { w: half([6, 4], 1), b: half([4], 2) },
        nodes: [
          node('Cast', ['x'], 'half', { to: 10 }),
          node('Gemm', ['half', 'w', 'b'], 'product'),
          node('Cast', ['product'], 'y', { to: 1 }),
        ],
        outputs: { y: 'float32' },
      }),
      { x: argument([3, 6]) },
      { relative: 2e-3 },
    );
  });

  it('may hold doubles, which become floats', async () => {
    const doubles = { type: 'float64', shape: [2], data: Float64Array.of(0.1, 1 / 3) } as const;
    const model = importOnnx(
      onnxModel({
        inputs: { x: ['float64', ['n', 2]] },
        constants: { w: doubles },
        nodes: [node('Mul', ['x', 'w'], 'y')],
        outputs: { y: 'float64' },
      }),
    );
    const { y } = model.forward({ x: tensor([[3, 3]]) });
    expect(y!.dtype).toBe('float32');
    expect(await y!.data()).toEqual(Float32Array.of(0.3, 1).map(Math.fround));
  });

  it('is checked for the sizes that its arguments declare', () => {
    const model = importOnnx(
      onnxModel({
        inputs: { a: ['float32', ['n', 3]], b: ['float32', ['n', 'm']] },
        nodes: [{ type: 'Concat', inputs: ['a', 'b'], outputs: ['y'], attributes: { axis: 1 } }],
        outputs: { y: 'float32' },
      }),
    );
    expect(model.forward({ a: argument([2, 3]), b: argument([2, 5]) }).y!.shape).toEqual([2, 8]);
    expect(() => model.forward({ a: argument([2, 4]), b: argument([2, 5]) })).toThrow('a [n, 3]');
    expect(() => model.forward({ a: argument([2, 3]), b: argument([1, 5]) })).toThrow('b [n, m]');
    expect(() => model.forward({ a: argument([3]), b: argument([1, 5]) })).toThrow('received [3]');
    expect(() => model.forward({ a: tensor(Int32Array.of(1), [1, 1]), b: argument([1, 5]) })).toThrow('a of float32');
  });
});
