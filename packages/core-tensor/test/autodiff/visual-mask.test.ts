import { afterAll, describe, expect, it } from 'vitest';
import {
  checkpoint,
  closeEngine,
  GraphError,
  gradients,
  mul,
  notEqual,
  square,
  sum,
  type Tensor,
  tensor,
  visualMask,
  where,
  withVisualMask,
} from '../../src/index.js';

afterAll(closeEngine);

const mask = notEqual(tensor(Int32Array.of(1, 0), [1, 2]), 0);

/** Squares visual tokens. x [1, 2] → same */
function squareVisual(x: Tensor): Tensor {
  const visual = visualMask();
  return visual ? where(visual, square(x), x) : x;
}

describe('withVisualMask', () => {
  it('is in force inside the function only, also where it is nested', () => {
    expect(visualMask()).toBeUndefined();
    withVisualMask(mask, () => {
      expect(visualMask()).toBe(mask);
      withVisualMask(undefined, () => expect(visualMask()).toBeUndefined());
      expect(visualMask()).toBe(mask);
    });
    expect(visualMask()).toBeUndefined();
  });

  it('ends with the function also where that fails', () => {
    expect(() =>
      withVisualMask(mask, () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(visualMask()).toBeUndefined();
  });

  it('is remembered by what is computed again for its gradient', async () => {
    const x = tensor([3, 5], [1, 2]);
    const y = withVisualMask(mask, () => checkpoint((each: Tensor) => mul(squareVisual(each), 10))(x));
    const [gradient] = gradients(sum(y), [x]);
    expect([...((await y.data()) as Float32Array)]).toEqual([90, 50]);
    expect([...((await gradient!.data()) as Float32Array)]).toEqual([60, 10]);
  });

  it('refuses async functions', () => {
    expect(() => withVisualMask(mask, async () => squareVisual(tensor([1, 2], [1, 2])))).toThrow(GraphError);
  });
});
