import { afterAll, describe, expect, test } from 'vitest';
import {
  add,
  checkpoint,
  closeEngine,
  compile,
  dropout,
  exp,
  foldStream,
  gradients,
  keyWords,
  Linear,
  Module,
  mul,
  randomKey,
  sin,
  streamKey,
  sum,
  type Tensor,
  tanh,
  tensor,
  valueAndGrad,
  where,
} from '../../src/index.js';
import { expectNumbers, numbersIn } from '../support/expect-numbers.js';

afterAll(async () => {
  await closeEngine();
});

type Wrap = <Inputs extends readonly Tensor[], Output extends Tensor | readonly Tensor[]>(
  fn: (...inputs: Inputs) => Output,
) => (...inputs: Inputs) => Output;

/** Gradients with and without checkpoints have to agree; returns them. */
async function expectSame(of: (wrap: Wrap) => readonly Tensor[]): Promise<number[][]> {
  const plain = await Promise.all(of((fn) => fn).map(numbersIn));
  const results = of(checkpoint);
  await Promise.all(results.map((each, index) => expectNumbers(each, plain[index]!)));
  return plain;
}

const x = tensor([0.5, -1, 2]);

describe('a checkpointed function', () => {
  test('has the value and the gradient of the function', async () => {
    const [value, gradient] = await expectSame((wrap) => {
      const y = wrap((h: Tensor) => mul(tanh(h), exp(h)))(x);
      return [y, ...gradients(sum(y), [x])];
    });
    expect(value![0]).toBeCloseTo(Math.tanh(0.5) * Math.exp(0.5), 5);
    expect(gradient![0]).toBeCloseTo(Math.exp(0.5) * (1 - Math.tanh(0.5) ** 2 + Math.tanh(0.5)), 5);
  });

  test('passes gradients to tensors it captures, and to what these came from', async () => {
    const origin = tensor([1, 2, 3]);
    await expectSame((wrap) => {
      const captured = mul(origin, origin);
      const y = wrap((h: Tensor) => mul(h, captured))(sin(x));
      return gradients(sum(add(mul(y, y), captured)), [x, origin, captured]);
    });
  });

  test('may be nested and chained', async () => {
    await expectSame((wrap) => {
      const inner = wrap((h: Tensor) => tanh(mul(h, 2)));
      const outer = wrap((h: Tensor) => exp(mul(inner(h), inner(sin(h)))));
      return gradients(sum(outer(outer(x))), [x]);
    });
  });

  test('may have several outputs, also unused ones, read in any order', async () => {
    const origin = tensor([4, 5, 6]);
    const captured = mul(origin, 2);
    const outputs = (h: Tensor) => [mul(h, captured), mul(h, h), sin(h)] as const;
    // The second output is read by a step that comes before the reader of the first.
    const [toX] = await expectSame((wrap) => {
      const [a, b] = wrap(outputs)(x);
      return gradients(sum(mul(exp(mul(b, 0.1)), a)), [x, origin]);
    });
    const by = (v: number, c: number) => c * Math.exp(0.1 * v * v) * (1 + 0.2 * v * v);
    [0.5, -1, 2].forEach((v, i) => {
      expect(toX![i]).toBeCloseTo(by(v, [8, 10, 12][i]!), 3);
    });
    await expectSame((wrap) => {
      const [a, b] = wrap(outputs)(x);
      return gradients(sum(mul(exp(mul(a, 0.1)), b)), [x, origin]);
    });
    await expectSame((wrap) => gradients(sum(wrap(outputs)(x)[2]), [x, origin]));
  });

  test('takes inputs that are no floats', async () => {
    const mask = tensor([1, 0, 1], [3], 'bool');
    const indices = tensor([0, 1, 2], [3], 'int32');
    await expectSame((wrap) => {
      const y = wrap((h: Tensor, m: Tensor, i: Tensor) => where(m, mul(exp(h), 3), i.size))(x, mask, indices);
      return [y, ...gradients(sum(y), [x])];
    });
  });

  test('may return an input as it is', async () => {
    await expectSame((wrap) => {
      const [same, other] = wrap((h: Tensor) => [h, mul(h, h)] as const)(x);
      return gradients(sum(add(mul(same, 3), other)), [x]);
    });
  });

  test('drops the same elements when it runs again', async () => {
    const wide = tensor(Float32Array.from({ length: 64 }, (_, i) => i + 1));
    const root = keyWords(randomKey(11));
    const run = compile((values: Tensor, words: Tensor, isCheckpointed: boolean) => {
      const key = streamKey(words);
      const twice = (h: Tensor) => {
        const first = mul(dropout(h, { rate: 0.5, key: foldStream(key, 1) }), h);
        return dropout(first, { rate: 0.25, key: foldStream(key, 2) });
      };
      const y = isCheckpointed ? checkpoint(twice)(values) : twice(values);
      return { y, gradient: gradients(sum(y), [values])[0]! };
    });
    const key = tensor(root);
    const plain = await run(wide, key, false);
    const replayed = await run(wide, key, true);
    const expected = await numbersIn(plain.gradient);
    await expectNumbers(replayed.y, await numbersIn(plain.y));
    await expectNumbers(replayed.gradient, expected);
    const kept = (values: readonly number[]) => values.map((v) => v !== 0);
    expect(kept(expected)).toEqual(kept(await numbersIn(plain.y)));
    expect(kept(expected).filter(Boolean).length).toBeGreaterThan(8);
    expect(kept(expected).filter((v) => !v).length).toBeGreaterThan(8);
  });
});

class Block extends Module {
  readonly up = new Linear(4, 8);
  readonly down = new Linear(8, 4);

  forward(h: Tensor): Tensor {
    return add(h, this.down.forward(tanh(this.up.forward(h))));
  }
}

class Stack extends Module {
  readonly blocks = [new Block(), new Block(), new Block()];

  loss(h: Tensor, wrap: Wrap): Tensor {
    const last = this.blocks.reduce((y, block) => wrap((each: Tensor) => block.forward(each))(y), h);
    return sum(mul(last, last));
  }
}

test('blocks of a module get the same gradients with and without checkpoints', async () => {
  const model = new Stack().initialize(5);
  const batch = tensor(
    Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
    [3, 4],
  );
  const step = (wrap: Wrap) =>
    compile((h: Tensor) => valueAndGrad(() => model.loss(h, wrap), model.trainableParameters()));
  const plain = await step((fn) => fn)(batch);
  const replayed = await step(checkpoint)(batch);
  expect(Object.keys(replayed.grads)).toHaveLength(12);
  for (const [name, grad] of Object.entries(plain.grads)) {
    const expected = await numbersIn(grad);
    expect(Math.max(...expected.map(Math.abs)), name).toBeGreaterThan(1e-3);
    await expectNumbers(replayed.grads[name]!, expected, 4);
  }
});
