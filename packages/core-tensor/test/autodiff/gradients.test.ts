import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  add,
  argMax,
  cast,
  closeEngine,
  exp,
  GraphError,
  gradients,
  Linear,
  materialize,
  matmul,
  mul,
  Parameter,
  ShapeError,
  stopGradient,
  sum,
  tanh,
  tensor,
  useEngine,
  valueAndGrad,
  vectorJacobianProduct,
} from '../../src/index.js';
import { expectNumbers } from '../support/expect-numbers.js';

beforeAll(async () => {
  await useEngine('reference');
});
afterAll(async () => {
  await closeEngine();
});

describe('gradients', () => {
  test('follow the chain rule through a composite function', async () => {
    const x = tensor([0.5, -1, 2]);
    const [gradient] = gradients(sum(exp(mul(tanh(x), 2))), [x]);
    const expected = [0.5, -1, 2].map((v) => Math.exp(2 * Math.tanh(v)) * 2 * (1 - Math.tanh(v) ** 2));
    await expectNumbers(gradient!, expected);
  });

  test('add up over every path to a shared tensor', async () => {
    const x = tensor([3, -2]);
    const square = mul(x, x);
    const y = add(mul(square, x), add(square, x)); // x³ + x² + x
    await expectNumbers(
      gradients(sum(y), [x])[0]!,
      [3, -2].map((v) => 3 * v * v + 2 * v + 1),
    );
  });

  test('visit a chain of sharing once per operation', async () => {
    let x = tensor(1);
    const start = x;
    // 2^60 paths lead from the end to the start.
    for (let i = 0; i < 60; i++) x = mul(add(x, x), 0.5);
    await expectNumbers(gradients(x, [start])[0]!, [1]);
  });

  test('reach through graphs deeper than the call stack', async () => {
    const start = tensor(2);
    let x = start;
    for (let i = 0; i < 20_000; i++) x = add(x, start);
    const [gradient] = gradients(x, [start]);
    expect(gradient!.shape).toEqual([]);
    await expectNumbers(gradient!, [20_001]);
  });

  test('exist for intermediate tensors, beside those of what they came from', async () => {
    const x = tensor([1, 2]);
    const middle = mul(x, 3);
    const [toX, toMiddle] = gradients(sum(mul(middle, middle)), [x, middle]);
    await expectNumbers(toMiddle!, [6, 12]);
    await expectNumbers(toX!, [18, 36]);
  });

  test('are zeros of its shape and dtype for a tensor without influence', async () => {
    const x = tensor([1, 2]);
    const unrelated = tensor([[1, 2, 3]]);
    const [, gradient] = gradients(sum(mul(x, x)), [x, unrelated]);
    expect([gradient!.shape, gradient!.dtype]).toEqual([[1, 3], 'float32']);
    await expectNumbers(gradient!, [0, 0, 0]);
  });

  test('sum over the axes in which an operand was broadcast', async () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const [row, column, scalar] = [tensor([1, 1, 1]), tensor([[2], [3]]), tensor(5)];
    const grads = gradients(sum(mul(mul(mul(x, row), column), scalar)), [row, column, scalar]);
    expect(grads.map(({ shape }) => shape)).toEqual([[3], [2, 1], []]);
    await expectNumbers(grads[0]!, [70, 95, 120]);
    await expectNumbers(grads[1]!, [30, 75]);
    await expectNumbers(grads[2]!, [57]);
  });

  test('can be differentiated again', async () => {
    const x = tensor([0.3, -0.7]);
    const [first] = gradients(sum(mul(mul(x, x), x)), [x]);
    const [second] = gradients(sum(first!), [x]);
    await expectNumbers(second!, [1.8, -4.2]);
  });

  test('refuse a tensor of more than one element, with a remedy', () => {
    const x = tensor([1, 2]);
    expect(() => gradients(mul(x, x), [x])).toThrow(ShapeError);
    expect(() => gradients(mul(x, x), [x])).toThrow(
      'gradients: expected a tensor of one element to differentiate, received [2]. ' +
        'Reduce it with sum or mean, or use vectorJacobianProduct with a cotangent.',
    );
  });

  test('refuse an operation without gradient on the way, and name it', () => {
    const x = tensor([1, 2]);
    const through = sum(cast(argMax(x), 'float32'));
    // An integer result passes no gradient back through a cast, as in PyTorch.
    expect(() => gradients(through, [x])).not.toThrow();
    expect(() => vectorJacobianProduct([argMax(x)], [tensor(1, [], 'int32')], [x])).toThrow(GraphError);
    expect(() => vectorJacobianProduct([argMax(x)], [tensor(1, [], 'int32')], [x])).toThrow(
      /received argMax, which has no gradient/,
    );
  });
});

describe('tensors whose values were asked for', () => {
  const parameter = () => new Parameter([2], { initializer: () => Float32Array.of(2, 3) });

  test('have no gradients any more, which is an error rather than zeros', async () => {
    const x = tensor([1, 2]);
    const loss = sum(mul(x, x));
    expect(await loss.item()).toBe(5);
    expect(() => gradients(loss, [x])).toThrow(GraphError);
    expect(() => gradients(loss, [x])).toThrow(
      /received a tensor of shape \[\] whose values were asked for before\. Take gradients first/,
    );
  });

  test('are an error also on the way to a parameter', async () => {
    const weight = parameter();
    const hidden = mul(weight, weight);
    await hidden.data();
    const later = mul(hidden, 2);
    await later.data();
    expect(() => gradients(sum(mul(hidden, weight)), [weight])).toThrow(
      /a tensor of shape \[2\] whose values were asked for/,
    );
    expect(() => gradients(sum(mul(later, weight)), [weight])).toThrow(GraphError);
  });

  test('are an error on the way to any tensor, also one that was computed itself', async () => {
    const x = tensor([1, 2]);
    const squared = mul(x, x);
    const hidden = mul(squared, 3);
    await hidden.data();
    for (const wanted of [x, squared]) {
      expect(() => gradients(sum(mul(hidden, wanted)), [wanted])).toThrow(/whose values were asked for/);
    }
    const later = mul(hidden, 2);
    await later.data();
    expect(() => gradients(sum(mul(later, 2)), [x])).toThrow(GraphError);
    await expectNumbers(gradients(sum(mul(hidden, hidden)), [hidden])[0]!, [6, 24]);
    const cut = mul(stopGradient(mul(x, 5)), 1);
    await cut.data();
    await expectNumbers(gradients(sum(mul(cut, x)), [x])[0]!, [5, 10]);
  });

  test('are constants to tensors that were computed along with them', async () => {
    const [x, y] = [tensor([1, 2]), tensor([3, 4])];
    const [a, b] = [mul(x, 2), mul(y, 2)];
    await materialize([a, b]);
    const [toA, toB] = gradients(sum(mul(a, b)), [a, b]);
    await expectNumbers(toA!, [6, 8]);
    await expectNumbers(toB!, [2, 4]);
    await expectNumbers(gradients(sum(mul(a, y)), [y])[0]!, [2, 4]);
  });

  test('are constants to parameters they were not computed from', async () => {
    const [weight, other] = [parameter(), parameter()];
    const features = mul(weight, 10);
    await features.data();
    await expectNumbers(gradients(sum(mul(features, other)), [other])[0]!, [20, 30]);
  });

  test('may be meant as constants', async () => {
    const weight = parameter();
    const target = stopGradient(mul(weight, 10));
    await target.data();
    await expectNumbers(gradients(sum(mul(target, weight)), [weight])[0]!, [20, 30]);
    const hidden = mul(weight, 10);
    await hidden.data();
    await expectNumbers(gradients(sum(mul(stopGradient(hidden), weight)), [weight])[0]!, [20, 30]);
  });
});

describe('stopGradient', () => {
  test('makes a constant of a tensor', async () => {
    const x = tensor([2, 3]);
    await expectNumbers(gradients(sum(mul(stopGradient(x), x)), [x])[0]!, [2, 3]);
    await expectNumbers(gradients(sum(stopGradient(mul(x, x))), [x])[0]!, [0, 0]);
  });
});

describe('vectorJacobianProduct', () => {
  test('weights several outputs with their cotangents', async () => {
    const x = tensor([1, 2]);
    const [square, cube] = [mul(x, x), mul(mul(x, x), x)];
    const [gradient] = vectorJacobianProduct([square, cube], [tensor([10, 20]), tensor([1, 2])], [x]);
    await expectNumbers(gradient!, [10 * 2 + 3, 20 * 4 + 2 * 12]);
  });

  test('multiplies the transposed Jacobian of a matrix product', async () => {
    const a = tensor([
      [1, 2],
      [3, 4],
    ]);
    const b = tensor([
      [5, 6],
      [7, 8],
    ]);
    const cotangent = tensor([
      [1, 0],
      [0, 2],
    ]);
    const [toA, toB] = vectorJacobianProduct([matmul(a, b)], [cotangent], [a, b]);
    await expectNumbers(toA!, [5, 7, 12, 16]); // cotangent · bᵀ
    await expectNumbers(toB!, [1, 6, 2, 8]); // aᵀ · cotangent
  });

  test('refuses cotangents that do not fit the outputs', () => {
    const x = tensor([1, 2]);
    expect(() => vectorJacobianProduct([mul(x, x)], [tensor(1)], [x])).toThrow(
      'vectorJacobianProduct: expected a cotangent of the shape of each output, [2], received [].',
    );
    expect(() => vectorJacobianProduct([mul(x, x)], [], [x])).toThrow(ShapeError);
  });
});

describe('valueAndGrad', () => {
  test('names gradients as the parameters are named', async () => {
    const layer = new Linear(2, 1);
    layer.floatWeight.set(Float32Array.of(3, -1));
    layer.bias!.set(Float32Array.of(0.5));
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const { value, grads } = valueAndGrad(() => sum(layer.forward(x)), layer.trainableParameters());
    expect(Object.keys(grads)).toEqual(['weight', 'bias']);
    await expectNumbers(value, [7]);
    await expectNumbers(grads.weight!, [4, 6]);
    await expectNumbers(grads.bias!, [2]);
  });

  test('hands on what the function returns beside the loss', async () => {
    const x = tensor([1, 2]);
    const { value, aux } = valueAndGrad(() => [sum(x), { doubled: mul(x, 2), label: 'metrics' }] as const, { x });
    await expectNumbers(value, [3]);
    await expectNumbers(aux.doubled, [2, 4]);
    expect(aux.label).toBe('metrics');
  });
});
