import { describe, expect, it } from 'vitest';
import { clipVisionConfigs, clipVisionMacs, convNextConfigs, convNextMacs } from '../../src/index.js';

describe('convNextMacs', () => {
  it('is what timm lists for ConvNeXt-L, less norms and head', () => {
    const large = convNextConfigs['convnext-large'];
    for (const [size, listed] of [
      [224, 34.4],
      [320, 70.21],
    ] as const) {
      const { total } = convNextMacs(large, size);
      expect(total / 1e9).toBeLessThan(listed);
      expect(total / 1e9 / listed).toBeGreaterThan(0.998);
    }
  });

  it('adds up, and grows with the number of pixels', () => {
    const five = convNextConfigs['convllava-convnext-1536'];
    const { stem, stages, downsampling, total } = convNextMacs(five, 1536);
    expect([...stages, ...downsampling].reduce((sum, each) => sum + each, stem)).toBe(total);
    expect(total).toBe(4 * convNextMacs(five, 768).total);
    expect(convNextMacs(five, 768, 1536).total).toBe(2 * convNextMacs(five, 768).total);
    expect(stages[4]! + downsampling[4]!).toBe(272_311_123_968);
  });
});

describe('clipVisionMacs', () => {
  it('is quadratic in the tokens only in attention', () => {
    const config = clipVisionConfigs['clip-vit-large-patch14-336'];
    expect(clipVisionMacs(config, 336) / 1e9).toBeCloseTo(190.959, 3);
    expect(clipVisionMacs(config, 336, 672) / clipVisionMacs(config, 336)).toBeGreaterThan(2);
  });
});
