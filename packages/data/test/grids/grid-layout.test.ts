import { describe, expect, it } from 'vitest';
import { gridLayout, limitGrid } from '../../src/grids/grid-layout.js';
import { type ImageGridConfig, imageGrid, imageGridFromConfig, PUBLISHED_GRIDS } from '../../src/grids/image-grid.js';
import { parsePinpoints } from '../../src/grids/pinpoints.js';
import { selectBestResolution } from '../../src/grids/select-best-resolution.js';

describe('gridLayout', () => {
  it.each([
    // Sizes of the published tables, and of images common in them.
    [384, 384, 'anyres_max_9', { tokens: 1485, kept: { rows: 27, columns: 27 } }],
    [640, 480, 'anyres_max_9', { tokens: 2929, kept: { rows: 40, columns: 54 } }],
    [1920, 1080, 'anyres_max_9', { tokens: 7269, unpadded: { rows: 75, columns: 135, top: 3, left: 0 } }],
    [1920, 1080, 'anyres_max_9', { kept: { rows: 60, columns: 108 }, newlineTokens: 60 }],
    [2304, 2304, 'anyres_max_9', { tokens: 7371, kept: { rows: 81, columns: 81 } }],
    [384, 384, 'anyres', { tokens: 1513, content: { left: 0, top: 192, width: 384, height: 384 } }],
  ] as const)('gives an image of %i × %i its published tokens with %s', (width, height, name, expected) => {
    expect(gridLayout({ width, height }, PUBLISHED_GRIDS[name], 27)).toMatchObject(expected);
  });

  it('leaves an image so narrow that no feature shows it the tokens of the whole image, and newlines', () => {
    const { anyres } = PUBLISHED_GRIDS;
    const flat = gridLayout({ width: 4000, height: 1 }, anyres, 26);
    expect(flat).toMatchObject({ unpadded: { rows: 0 }, newlineTokens: 0, tokens: 676 });
    const thin = gridLayout({ width: 1, height: 4000 }, anyres, 26);
    expect(thin).toMatchObject({ unpadded: { columns: 0 }, newlineTokens: 52, tokens: 676 + 52 });
  });

  it('refuses sizes that are no sizes', () => {
    const { anyres } = PUBLISHED_GRIDS;
    expect(() => gridLayout({ width: 0, height: 4 }, anyres, 27)).toThrow(/selectBestResolution \(width\)/);
    expect(() => gridLayout({ width: 4, height: 4 }, anyres, 2.5)).toThrow(/featuresPerSide to be a positive integer/);
    expect(() => selectBestResolution({ width: 4, height: 4 }, [])).toThrow(/at least one canvas/);
  });
});

describe('limitGrid', () => {
  it('tolerates a tenth more on a side, and rounds down beyond', () => {
    expect(limitGrid({ rows: 11, columns: 11 }, 100)).toEqual({ rows: 11, columns: 11 });
    expect(limitGrid({ rows: 12, columns: 11 }, 100)).toEqual({ rows: 10, columns: 9 });
  });

  it('divides as Python does where a quotient is an integer only by rounding', () => {
    // 5 / √(25 / 9) rounds to 3, but √(25 / 9) in double precision is a little more than 5 / 3. Python gives 5 // t = 2.
    expect(limitGrid({ rows: 5, columns: 5 }, 9)).toEqual({ rows: 2, columns: 2 });
    expect(limitGrid({ rows: 4, columns: 100 }, 9)).toEqual({ rows: 1, columns: 14 });
    expect(limitGrid({ rows: 5, columns: 20 }, 9)).toEqual({ rows: 1, columns: 5 });
    expect(limitGrid({ rows: 30, columns: 270 }, 100)).toEqual({ rows: 3, columns: 30 });
  });

  it('keeps one row where nothing would be left', () => {
    expect(limitGrid({ rows: 1, columns: 400 }, 4)).toEqual({ rows: 1, columns: 40 });
  });
});

describe('grids of published models', () => {
  it('name their canvases as a list, a Python literal or a range', () => {
    const sizes = [
      { width: 384, height: 768 },
      { width: 1152, height: 384 },
    ];
    const pairs = [
      [384, 768],
      [1152, 384],
    ];
    expect(parsePinpoints(pairs, 384)).toEqual(sizes);
    expect(parsePinpoints('[(384, 768), (1152, 384)]', 384)).toEqual(sizes);
    expect(parsePinpoints('[[384, 768], [1152, 384]]', 384)).toEqual(sizes);
    expect(parsePinpoints('(1x1),...,(2x3)', 10).map(({ width, height }) => [width, height])).toEqual([
      [10, 10],
      [10, 20],
      [10, 30],
      [20, 10],
      [20, 20],
      [20, 30],
    ]);
    for (const wrong of ['', 'x', '[]', [], [[384]], [[384, 0]]]) {
      expect(() => parsePinpoints(wrong, 384)).toThrow(/pairs of width and height/);
    }
  });

  it('follow from the keys of a config.json', () => {
    const keys = { image_aspect_ratio: 'anyres_max_9', image_grid_pinpoints: '(1x1),...,(6x6)' };
    expect(imageGridFromConfig(keys, 384)).toEqual(PUBLISHED_GRIDS.anyres_max_9);
    expect(imageGridFromConfig({ image_aspect_ratio: 'pad' }, 384)).toBeUndefined();
    expect(() => imageGridFromConfig({ image_aspect_ratio: 'anyres' }, 384)).toThrow(/image_grid_pinpoints/);
    expect(() => imageGridFromConfig({ ...keys, image_aspect_ratio: 'highres' }, 384)).toThrow(/highres/);
  });

  it('are refused where they do not hold together', () => {
    const attempt = (change: object) => () =>
      imageGrid({ tile: 16, candidates: [{ width: 32, height: 16 }], ...change } as ImageGridConfig);
    expect(attempt({})()).toMatchObject({ maximumTiles: null, filter: 'bicubic', severalImages: 'square' });
    expect(attempt({ candidates: [{ width: 32, height: 20 }] })).toThrow(/candidates\.0: 32x20 is no whole number/);
    expect(attempt({ candidates: [] })).toThrow(/candidates/);
    expect(attempt({ maximumTiles: 0 })).toThrow(/maximumTiles/);
    expect(attempt({ tiles: 3 })).toThrow(/tiles/);
  });
});
