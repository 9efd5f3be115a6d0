let version = 0;

/**
 * Says that a module was built differently: an adapter was put on, a weight quantized. Functions that `compile` made
 * trace anew before their next run; a program for the same structure is found again without compiling.
 */
export function structureChanged(): void {
  version++;
}

/** Changes with every {@link structureChanged}. */
export function structureVersion(): number {
  return version;
}
