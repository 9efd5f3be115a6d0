import { ConfigError, closeEngine, concat, flip, reshape, ShapeError, sliceAxis } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { MoaiCompressor } from '../../src/index.js';
import { distance, drawn, mask, random } from '../support.js';

afterAll(closeEngine);

const config = { hiddenSize: 8, depth: 2, numHeads: 2, headDim: 4, numLatents: 3 } as const;

describe('MoaiCompressor', () => {
  it('has the published size by default', () => {
    expect(new MoaiCompressor().parameterCount()).toBe(151_363_584);
  });

  it('does not see the order of its tokens, unless they have positions', async () => {
    const x = random([1, 6, 8]);
    const plain = drawn(new MoaiCompressor(config));
    const placed = drawn(new MoaiCompressor({ ...config, positions: 'sinusoidal' }));
    expect(await distance(plain.forward(x), plain.forward(flip(x, 1)))).toBeLessThan(1e-5);
    expect(await distance(placed.forward(x), placed.forward(flip(x, 1)))).toBeGreaterThan(1e-2);
  });

  it('compresses padding along, unless there is a mask', async () => {
    const compressor = drawn(new MoaiCompressor(config));
    const x = random([2, 4, 8]);
    const padded = concat([random([2, 2, 8], 1), x], 1);
    const present = mask([
      [0, 0, 1, 1, 1, 1],
      [0, 0, 1, 1, 1, 1],
    ]);
    const expected = compressor.forward(x);
    expect(await distance(compressor.forward(padded), expected)).toBeGreaterThan(1e-2);
    expect(await distance(compressor.forward(padded, { mask: present }), expected)).toBeLessThan(1e-5);
  });

  it('takes several media of a sample, each on its own', async () => {
    const compressor = drawn(new MoaiCompressor(config));
    const x = random([2, 3, 4, 8]);
    const y = compressor.forward(x);
    expect(y.shape).toEqual([2, 3, 3, 8]);
    const second = compressor.forward(reshape(sliceAxis(x, 1, 1, 2), [2, 4, 8]));
    expect(await distance(reshape(sliceAxis(y, 1, 1, 2), [2, 3, 8]), second)).toBeLessThan(1e-5);
  });

  it('refuses other widths, masks and unknown fields', () => {
    const compressor = new MoaiCompressor(config);
    expect(() => compressor.forward(random([1, 6, 7]))).toThrow(ShapeError);
    expect(() => compressor.forward(random([1, 6, 8]), { mask: mask([[1, 1]]) })).toThrow(ShapeError);
    expect(() => new MoaiCompressor({ latents: 4 } as object)).toThrow(ConfigError);
  });
});
