import type { Draws } from '../honeybee/draws.js';

/** A decision of the reference: which of how many, or an order. */
export type Draw = { readonly choice: number; readonly of: number } | { readonly shuffle: readonly number[] };

/** Takes the decisions that the reference took; another order or kind of decision gives no answer. */
export function replay(draws: readonly Draw[]): Draws & { readonly left: () => number } {
  const rest = [...draws];
  return {
    choice: (count) => {
      const draw = rest.shift();
      return draw && 'choice' in draw && draw.of === count ? draw.choice : Number.NaN;
    },
    order: (count) => {
      const draw = rest.shift();
      return draw && 'shuffle' in draw && draw.shuffle.length === count ? draw.shuffle : [];
    },
    left: () => rest.length,
  };
}
