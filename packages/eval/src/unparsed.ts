import type { Draws } from '@ocelli/data';

/**
 * What becomes of an answer that names no option. By default it is wrong. Published code draws an option instead, which
 * adds noise to a score; with `draws` this is done, for comparison.
 */
export interface UnparsedOptions {
  readonly draws?: Pick<Draws, 'choice'> | undefined;
}

/** One of some options, or none without draws. */
export function drawOption<T>(options: readonly T[], { draws }: UnparsedOptions): T | undefined {
  return draws && options.length > 0 ? options[draws.choice(options.length)] : undefined;
}
