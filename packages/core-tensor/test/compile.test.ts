import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  add,
  closeEngine,
  compile,
  currentEngine,
  type Engine,
  exp,
  GraphError,
  Linear,
  Module,
  materialize,
  matmul,
  mul,
  Parameter,
  pad,
  sum,
  type Tensor,
  tensor,
  useEngine,
  valueAndGrad,
} from '../src/index.js';
import { expectNumbers, numbersIn } from './support/expect-numbers.js';

const row = (...values: number[]) => tensor([values]);

describe.each(['ort', 'reference'] as const)('a compiled function on %s', (name) => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await useEngine(name);
  });
  afterAll(async () => {
    await closeEngine();
  });

  test('computes elementwise with constants of one element that have several axes', async () => {
    const one = tensor(BigInt64Array.of(2n), [1, 1], 'int64');
    const doubled = compile((x: Tensor) => [mul(x, one), one]);
    const [product, constant] = await doubled(tensor(BigInt64Array.of(3n, 4n), [2], 'int64'));
    expect(product!.shape).toEqual([1, 2]);
    expect(await product!.data()).toEqual(BigInt64Array.of(6n, 8n));
    expect(await constant!.data()).toEqual(BigInt64Array.of(2n));
    const [alone] = await compile(() => [one])();
    expect(alone!.shape).toEqual([1, 1]);
    expect(await alone!.data()).toEqual(BigInt64Array.of(2n));
  });

  test('is traced once per shapes and dtypes', async () => {
    const fn = vi.fn((x: Tensor) => mul(x, 2));
    const doubled = compile(fn);
    await expectNumbers(await doubled(tensor([1, 2])), [2, 4]);
    await expectNumbers(await doubled(tensor([5, 6])), [10, 12]);
    expect(fn).toHaveBeenCalledTimes(1);
    await expectNumbers(await doubled(tensor([1, 2, 3])), [2, 4, 6]);
    await expectNumbers(await doubled(tensor([1, 2], undefined, 'int32')), [2, 4]);
    expect(fn).toHaveBeenCalledTimes(3);
    await doubled(tensor([[1, 2]]));
    expect(fn).toHaveBeenCalledTimes(4);
    await doubled(tensor([7, 8]));
    expect(fn).toHaveBeenCalledTimes(4);
  });

  test('is traced once by calls that are made at the same time', async () => {
    const fn = vi.fn((x: Tensor) => exp(x));
    const compiled = compile(fn);
    const results = await Promise.all([0, 1, 2].map((v) => compiled(tensor(v))));
    expect(fn).toHaveBeenCalledTimes(1);
    await Promise.all(results.map((each, v) => expectNumbers(each, [Math.exp(v)])));
  });

  test('takes what is no tensor as part of the signature', async () => {
    const fn = vi.fn((x: Tensor, { factor, mode }: { factor: number; mode?: string }) =>
      mul(x, mode === 'negative' ? -factor : factor),
    );
    const scaled = compile(fn);
    const x = tensor([1, 2]);
    await expectNumbers(await scaled(x, { factor: 3 }), [3, 6]);
    await expectNumbers(await scaled(x, { factor: 4 }), [4, 8]);
    await expectNumbers(await scaled(x, { factor: 4, mode: 'negative' }), [-4, -8]);
    await expectNumbers(await scaled(x, { factor: Number.POSITIVE_INFINITY }), [
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    expect(fn).toHaveBeenCalledTimes(4);
    await expectNumbers(await scaled(x, { factor: 3 }), [3, 6]);
    expect(fn).toHaveBeenCalledTimes(4);
  });

  test('tells functions, big integers, typed arrays and missing values apart', async () => {
    const applied = compile((f: (x: Tensor) => Tensor, x: Tensor) => f(x));
    await expectNumbers(await applied(exp, tensor([0])), [1]);
    await expectNumbers(await applied((x) => mul(x, 5), tensor([7])), [35]);
    const shifted = compile((amount: bigint | Int32Array | null | undefined, x: Tensor) =>
      add(x, typeof amount === 'bigint' ? Number(amount) : amount ? amount[0]! : amount === null ? 100 : 200),
    );
    await expectNumbers(await shifted(3n, tensor([1])), [4]);
    await expectNumbers(await shifted(4n, tensor([1])), [5]);
    const amounts = Int32Array.of(10);
    await expectNumbers(await shifted(amounts, tensor([1])), [11]);
    amounts[0] = 20;
    await expectNumbers(await shifted(amounts, tensor([1])), [21]);
    await expectNumbers(await shifted(null, tensor([1])), [101]);
    await expectNumbers(await shifted(undefined, tensor([1])), [201]);
  });

  test('takes and returns nested arrays and objects', async () => {
    const compiled = compile((batch: { pairs: [Tensor, Tensor][]; label: string }) => ({
      sums: batch.pairs.map(([a, b]) => add(a, b)),
      label: batch.label,
      count: batch.pairs.length,
    }));
    const result = await compiled({
      pairs: [
        [row(1), row(2)],
        [row(3, 4), row(5, 6)],
      ],
      label: 'two',
    });
    expect([result.label, result.count]).toEqual(['two', 2]);
    expect(result.sums.map(({ shape }) => shape)).toEqual([
      [1, 1],
      [1, 2],
    ]);
    await expectNumbers(result.sums[0]!, [3]);
    await expectNumbers(result.sums[1]!, [8, 10]);
  });

  test('returns arguments, constants and one result twice', async () => {
    const compiled = compile((x: Tensor) => {
      const y = mul(x, x);
      return [x, y, y, tensor([9, 9, 9])] as const;
    });
    const x = tensor([2, 3]);
    const results = await compiled(x);
    const values = await Promise.all(results.map(numbersIn));
    expect(values).toEqual([
      [2, 3],
      [4, 9],
      [4, 9],
      [9, 9, 9],
    ]);
    await expectNumbers(x, [2, 3]);
  });

  test('computes arguments that are recorded only', async () => {
    const compiled = compile((x: Tensor) => mul(x, 2));
    const x = tensor([1, 2]);
    await expectNumbers(await compiled(add(x, x)), [4, 8]);
  });

  test('captures tensors, large, small, computed and recorded ones', async () => {
    const small = tensor([10, 20]);
    const large = tensor(
      Float32Array.from({ length: 40 }, (_, i) => i),
      [2, 20],
    );
    const recorded = mul(small, 2);
    const computed = mul(small, 3);
    await materialize([computed]);
    const compiled = compile((x: Tensor) => add(add(small, recorded), add(computed, sum(matmul(x, large)))));
    // The rows of `large` sum to 190 and 590.
    await expectNumbers(await compiled(row(1, 0)), [10 + 20 + 30 + 190, 20 + 40 + 60 + 190]);
    await expectNumbers(await compiled(row(0, 1)), [10 + 20 + 30 + 590, 20 + 40 + 60 + 590]);
  });

  test('reads trainable parameters when it runs', async () => {
    const fn = vi.fn((x: Tensor) => mul(x, weight));
    const weight = new Parameter([2]);
    weight.set(Float32Array.of(1, 2));
    const compiled = compile(fn);
    await expectNumbers(await compiled(tensor([1, 1])), [1, 2]);
    weight.set(Float32Array.of(3, 4));
    await expectNumbers(await compiled(tensor([1, 1])), [3, 4]);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  test('has frozen parameters as constants, and follows their changes', async () => {
    const layer = new Linear(2, 2, { bias: false });
    layer.floatWeight.set(Float32Array.of(1, 2, 3, 4));
    layer.freeze();
    const fn = vi.fn((x: Tensor) => layer.forward(x));
    const compiled = compile(fn);
    const graphs = vi.spyOn(engine, 'compile');
    await expectNumbers(await compiled(row(1, 1)), [3, 7]);
    expect(graphs.mock.calls[0]![0].nodes.map(({ kind }) => kind)).toContain('resident');
    expect(graphs.mock.calls[0]![0].inputCount).toBe(1);
    await expectNumbers(await compiled(row(1, 0)), [1, 3]);
    expect(fn).toHaveBeenCalledTimes(1);
    layer.floatWeight.set(Float32Array.of(5, 6, 7, 8));
    await expectNumbers(await compiled(row(1, 1)), [11, 15]);
    expect(fn).toHaveBeenCalledTimes(2);
    graphs.mockRestore();
  });

  test('is traced again when a parameter is frozen or unfrozen', async () => {
    class Model extends Module {
      readonly weight = new Parameter([2], { initializer: () => Float32Array.of(2, 3) });
      readonly scale = new Parameter([1], { initializer: () => Float32Array.of(10) });
    }
    const model = new Model();
    const fn = vi.fn((x: Tensor) =>
      valueAndGrad(() => sum(mul(mul(x, model.weight), model.scale)), model.trainableParameters()),
    );
    const step = compile(fn);
    const x = tensor([1, 1]);
    expect(Object.keys((await step(x)).grads)).toEqual(['weight', 'scale']);
    model.freeze('scale');
    const frozen = await step(x);
    expect(Object.keys(frozen.grads)).toEqual(['weight']);
    await expectNumbers(frozen.grads.weight!, [10, 10]);
    await expectNumbers(frozen.value, [50]);
    expect(fn).toHaveBeenCalledTimes(2);
    await step(x);
    expect(fn).toHaveBeenCalledTimes(2);
    model.unfreeze();
    const again = await step(x);
    expect(Object.keys(again.grads)).toEqual(['weight', 'scale']);
    await expectNumbers(again.grads.scale!, [5]);
    expect(fn).toHaveBeenCalledTimes(3);
  });

  test('fails with a remedy where data is asked for while tracing', async () => {
    const waiting = compile(async (x: Tensor) => mul(x, Number((await x.data())[0])));
    await expect(waiting(tensor([1]))).rejects.toThrow(GraphError);
    await expect(waiting(tensor([1]))).rejects.toThrow(
      'data: expected a tensor with values, received an argument of a function that is being traced. ' +
        'Return the tensor from the compiled function and read it there.',
    );
    const computed = compile(async (x: Tensor) => mul(x, await sum(x).item()));
    await expect(computed(tensor([1]))).rejects.toThrow(/an argument of a function that is being traced/);
  });

  test('refuses async functions and results without tensors', async () => {
    await expect(compile(async (x: Tensor) => mul(x, 2))(tensor([1]))).rejects.toThrow(
      /compile: expected a function that returns its tensors at once, received an async function\. Leave out async/,
    );
    await expect(compile((x: Tensor) => x.shape)(tensor([1]))).rejects.toThrow(
      /compile: expected a function that returns tensors/,
    );
  });

  test('can be called again after its function has thrown', async () => {
    let attempts = 0;
    const compiled = compile((x: Tensor) => {
      attempts++;
      if (attempts === 1) throw new RangeError('not yet');
      return mul(x, 2);
    });
    await expect(compiled(tensor([1]))).rejects.toThrow('not yet');
    await expectNumbers(await compiled(tensor([1])), [2]);
  });
});

describe('programs', () => {
  let engine: Engine;

  beforeAll(async () => {
    await useEngine('ort', { threads: 1 });
    engine = await currentEngine();
  });
  afterAll(async () => {
    await closeEngine();
  });

  test('are compiled once for an expression on shapes', async () => {
    const compiled = vi.spyOn(engine, 'compile');
    const expression = (scale: number) => mul(exp(tensor(Float32Array.from({ length: 20 }, (_, i) => i * scale))), 3);
    await expectNumbers(await materializedSum(expression(0)), [60]);
    const count = compiled.mock.calls.length;
    expect(count).toBeGreaterThan(0);
    for (const scale of [0.1, 0.2, 0.3]) await expression(scale).data();
    await materializedSum(expression(0));
    expect(compiled.mock.calls.length).toBe(count + 1);
    compiled.mockRestore();
  });

  test('differ where constants or attributes differ in sign or beyond finite numbers only', async () => {
    const product = async (value: number) => (await numbersIn(mul(tensor([value]), 1)))[0];
    expect(await product(0)).toBe(0);
    expect(await product(-0)).toBe(-0);
    const border = async (value: number) => (await numbersIn(pad(tensor([1]), { before: [1], after: [0], value })))[0];
    expect(await border(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(await border(Number.NEGATIVE_INFINITY)).toBe(Number.NEGATIVE_INFINITY);
    expect(await border(Number.NaN)).toBe(Number.NaN);
  });

  test('outlive the cache in functions that hold them', async () => {
    const held = compile((x: Tensor) => exp(x));
    await expectNumbers(await held(tensor([0, 1])), [1, Math.E]);
    // More distinct programs than the cache keeps, all at once.
    const others = await Promise.all(Array.from({ length: 160 }, (_, i) => numbersIn(add(tensor([0, 1]), i))));
    others.forEach((values, i) => {
      expect(values).toEqual([i, i + 1]);
    });
    await expectNumbers(await held(tensor([0, 2])), [1, Math.exp(2)]);
  });

  test('that a change of constants made useless are released', async () => {
    const released = vi.spyOn(engine, 'release');
    const weight = new Parameter([2], { trainable: false });
    weight.set(Float32Array.of(1, 2));
    const compiled = compile((x: Tensor) => mul(x, weight));
    await compiled(tensor([1, 1]));
    weight.set(Float32Array.of(3, 4));
    await expectNumbers(await compiled(tensor([1, 1])), [3, 4]);
    expect(released).toHaveBeenCalledTimes(1);
    released.mockRestore();
  });
});

function materializedSum(x: Tensor): Promise<Tensor> {
  const total = sum(x);
  return materialize([total]).then(() => total);
}
