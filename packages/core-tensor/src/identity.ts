const identities = new WeakMap<object, number>();
let next = 0;

/** A number of its own for each object, for keys of what is cached by identity. */
export function identityOf(object: object): number {
  let identity = identities.get(object);
  if (identity === undefined) {
    identity = next++;
    identities.set(object, identity);
  }
  return identity;
}
