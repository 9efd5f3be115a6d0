import { ShapeError } from '../errors.js';
import { sizeOf } from '../graph/shape.js';
import type { Tensor } from '../tensor.js';
import { matmul } from './matmul.js';
import { reshape, transpose } from './rearrange.js';
import { sum } from './reduce.js';

/**
 * Einstein summation of one or two tensors, for example `einsum('bhqd,bhkd->bhqk', q, k)`: letters name axes, those
 * missing from the result are summed. Two tensors become one matrix product.
 *
 * @throws ShapeError if the equation does not fit the tensors; a letter may occur once per tensor.
 */
export function einsum(equation: string, ...tensors: readonly Tensor[]): Tensor {
  const [left, output] = equation.replaceAll(' ', '').split('->') as [string, string | undefined];
  const terms = left.split(',');
  const sizes = new Map<string, number>();
  const fits =
    output !== undefined &&
    terms.length === tensors.length &&
    (terms.length === 1 || terms.length === 2) &&
    terms.every((term, index) => fitsTensor(term, tensors[index]!, sizes)) &&
    new Set(output).size === output.length &&
    [...output].every((letter) => sizes.has(letter));
  if (!fits) {
    throw new ShapeError({
      operation: `einsum '${equation}'`,
      expected: "one or two terms such as 'bij,bjk->bik', one distinct letter per axis, each with one size",
      received: tensors.map(({ shape }) => shape),
    });
  }
  if (tensors.length === 1) return arrange(tensors[0]!, terms[0]!, output!);
  return contract(tensors[0]!, tensors[1]!, terms[0]!, terms[1]!, output!, sizes);
}

function fitsTensor(term: string, { shape }: Tensor, sizes: Map<string, number>): boolean {
  return (
    term.length === shape.length &&
    new Set(term).size === term.length &&
    [...term].every((letter, axis) => {
      const known = sizes.get(letter) ?? shape[axis]!;
      sizes.set(letter, known);
      return known === shape[axis];
    })
  );
}

/** Sums the letters that `wanted` lacks, and puts the others in its order. */
function arrange(x: Tensor, term: string, wanted: string): Tensor {
  const summed = sum(x, { axes: [...term].flatMap((letter, axis) => (wanted.includes(letter) ? [] : [axis])) });
  const left = [...term].filter((letter) => wanted.includes(letter));
  return transpose(
    summed,
    [...wanted].map((letter) => left.indexOf(letter)),
  );
}

function contract(
  a: Tensor,
  b: Tensor,
  termA: string,
  termB: string,
  output: string,
  sizes: ReadonlyMap<string, number>,
): Tensor {
  const letters = [...new Set(termA + termB)];
  const inBoth = (letter: string) => termA.includes(letter) && termB.includes(letter);
  const batch = letters.filter((letter) => inBoth(letter) && output.includes(letter));
  const inner = letters.filter((letter) => inBoth(letter) && !output.includes(letter));
  const rows = letters.filter((letter) => !termB.includes(letter) && output.includes(letter));
  const columns = letters.filter((letter) => !termA.includes(letter) && output.includes(letter));
  const size = (group: readonly string[]) => sizeOf(group.map((letter) => sizes.get(letter)!));
  const left = reshape(arrange(a, termA, [...batch, ...rows, ...inner].join('')), [
    size(batch),
    size(rows),
    size(inner),
  ]);
  const right = reshape(arrange(b, termB, [...batch, ...columns, ...inner].join('')), [
    size(batch),
    size(columns),
    size(inner),
  ]);
  const product = matmul(left, right, { transposeB: true }); // [batch, rows, columns]
  const order = [...batch, ...rows, ...columns];
  return arrange(
    reshape(
      product,
      order.map((letter) => sizes.get(letter)!),
    ),
    order.join(''),
    output,
  );
}
