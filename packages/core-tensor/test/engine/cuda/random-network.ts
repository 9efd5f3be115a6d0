import {
  add,
  concat,
  div,
  exp,
  gather,
  gradients,
  layerNorm,
  less,
  logSoftmax,
  matmul,
  max,
  mul,
  neg,
  pad,
  reshape,
  sigmoid,
  slice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  where,
} from '../../../src/index.js';

/** Numbers below a bound, always the same for a seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 7919 + 17;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

/** A network of operations chosen at random, whose values are used again and again, also behind what was made of them. */
export function network(seed: number): (...inputs: Tensor[]) => Tensor[] {
  return (...inputs) => {
    const random = randomOf(seed);
    const pool = [...inputs];
    const pick = () => pool[Math.max(random(pool.length), random(pool.length))]!;
    const like = (shape: readonly number[]) => pool.filter((each) => each.shape.join() === shape.join());
    const last = { axes: -1, keepDims: true };
    for (let step = 0; step < 10 + (seed % 30); step++) {
      const x = pick();
      const rank = x.shape.length;
      const same = like(x.shape);
      const other = same[random(same.length)]!;
      const [rows, columns] = [x.shape.at(-2) ?? 1, x.shape.at(-1) ?? 1];
      const choices: (() => Tensor)[] = [
        () => tanh(x),
        () => sigmoid(mul(x, 0.5)),
        () => exp(mul(tanh(x), 0.5)),
        () => add(x, other),
        () => sub(mul(x, 0.7), other),
        () => mul(x, tanh(other)),
        () => div(x, add(square(other), 1)),
        () => where(less(x, other), neg(x), other),
        () => softmax(x, random(2) === 0 ? -1 : 0),
        () => logSoftmax(x, -1),
        () => layerNorm(x),
        () => add(x, sum(x, last)),
        () => mul(sub(x, max(x, last)), 0.3),
        () => sub(x, mul(sum(x, { axes: 0, keepDims: true }), 0.2)),
        () => (rank === 2 ? transpose(x, [1, 0]) : x),
        () => reshape(x, rank === 2 && rows % 2 === 0 ? [rows / 2, 2 * columns] : [x.size / columns, columns]),
        () => (rows > 2 && rank === 2 ? slice(x, [1, 0], [rows, columns]) : x),
        () => (rank === 2 ? pad(x, { before: [1, 0], after: [0, 2] }) : x),
        () => concat([x, other], rank - 1),
        () => gather(x, tensor([0, x.shape[0]! - 1, 0], [3], 'int32')),
        () => (rank === 2 ? mul(matmul(x, x, { transposeB: true }), 0.1) : x),
        () => (rank === 2 ? mul(matmul(transpose(x, [1, 0]), other), 0.1) : x),
      ];
      const made = choices[random(choices.length)]!();
      if (made.size <= 4096) pool.push(made);
    }
    const outputs = [pool.at(-1)!, pick(), pick()];
    const loss = outputs.reduce((total, each) => add(total, sum(mul(tanh(each), 0.3))), tensor(0));
    return [...outputs, ...gradients(loss, inputs)];
  };
}
