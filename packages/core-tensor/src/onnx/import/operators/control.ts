import { add, mul } from '../../../ops/arithmetic.js';
import { cast } from '../../../ops/cast.js';
import { gather } from '../../../ops/indexing.js';
import { type Tensor, tensor } from '../../../tensor.js';
import type { NodeContext, Operator } from '../node-context.js';

/** Of two graphs, the one that a condition chooses which is known while recording. */
const choose: Operator = (node) => {
  const condition = node.number(0);
  node.ignore('then_branch', 'else_branch');
  return node.run(condition === 0 ? 'else_branch' : 'then_branch');
};

const tables = new Map<string, Uint8Array>();

/** Results of an operation on two bytes, by 256 · a + b. */
function tableOf(name: string, fn: (a: number, b: number) => number): Uint8Array {
  const known = tables.get(name);
  if (known) return known;
  const table = Uint8Array.from({ length: 65_536 }, (_, index) => fn(index >> 8, index & 255));
  tables.set(name, table);
  return table;
}

/** An operation on the bits of bytes, looked up: engines have none. */
function ofBytes(node: NodeContext, name: string, fn: (a: number, b: number) => number): Tensor {
  const [a, b] = [node.input(0), node.input(1)];
  if (a.dtype !== 'uint8' || b.dtype !== 'uint8') throw node.refusal('uint8 inputs', `${a.dtype} and ${b.dtype}`);
  const places = add(mul(cast(a, 'int32'), 256), cast(b, 'int32'));
  return gather(tensor(tableOf(name, fn)), places);
}

const shift: Operator = (node) => {
  const isLeft = node.word('direction', ['LEFT', 'RIGHT'], 'LEFT') === 'LEFT';
  return isLeft ? ofBytes(node, 'left', (a, b) => a << b) : ofBytes(node, 'right', (a, b) => a >> b);
};

/** Branches, and bits of bytes. */
export const controlOperators = {
  If: choose,
  BitShift: shift,
  BitwiseAnd: (node) => ofBytes(node, 'and', (a, b) => a & b),
  BitwiseOr: (node) => ofBytes(node, 'or', (a, b) => a | b),
  BitwiseXor: (node) => ofBytes(node, 'xor', (a, b) => a ^ b),
} satisfies Readonly<Record<string, Operator>>;
