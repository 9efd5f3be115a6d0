import type { Initializer } from '@ocelli/core-tensor';

/** Numbers of what a deformable attention looks at. */
export interface DirectionBiasOptions {
  readonly heads: number;
  readonly levels: number;
  readonly points: number;
}

/**
 * First offsets of deformable attention, [heads · levels · points · 2] as (x, y) in cells: head i looks into direction
 * 2πi / heads, scaled to a largest component of 1, and point k is k + 1 times as far (Zhu et al. 2021, appendix A.2).
 */
export function directionBias({ heads, levels, points }: DirectionBiasOptions): Initializer {
  return () => {
    const offsets = Array.from({ length: heads }, (_, head) => {
      const angle = (2 * Math.PI * head) / heads;
      const [x, y] = [Math.cos(angle), Math.sin(angle)];
      const longest = Math.max(Math.abs(x), Math.abs(y));
      return Array.from({ length: levels * points }, (_, place) => {
        const steps = (place % points) + 1;
        return [(x / longest) * steps, (y / longest) * steps];
      });
    });
    return Float32Array.from(offsets.flat(2));
  };
}
