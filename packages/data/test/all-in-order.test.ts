import { describe, expect, it } from 'vitest';
import { allInOrder } from '../src/all-in-order.js';

const after = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('allInOrder', () => {
  it('gives all values in order', async () => {
    expect(await allInOrder([after(5).then(() => 'slow'), Promise.resolve('fast')])).toEqual(['slow', 'fast']);
  });

  it('throws the failure that is first in order, not in time', async () => {
    const late = after(5).then(() => Promise.reject(new Error('first')));
    await expect(allInOrder([late, Promise.reject(new Error('second'))])).rejects.toThrow('first');
  });

  it('fails also where a failure gives no reason', async () => {
    await expect(allInOrder([Promise.resolve(1), Promise.reject(undefined)])).rejects.toBeUndefined();
  });
});
