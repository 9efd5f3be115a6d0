import type { Tensor } from '../tensor.js';
import { dependencies, topologicalOrder } from './topology.js';

const references = new WeakMap<Tensor, WeakRef<Tensor>>();

/** The same reference each time, so that it can be looked up. */
function referenceTo(tensor: Tensor): WeakRef<Tensor> {
  const known = references.get(tensor);
  if (known) return known;
  const made = new WeakRef(tensor);
  references.set(tensor, made);
  return made;
}

/** Which tensors were computed from which, without keeping any of them alive. */
interface Descent {
  readonly places: ReadonlyMap<WeakRef<Tensor>, number>;
  readonly references: readonly WeakRef<Tensor>[];
  /** Of each tensor, the places of those it was computed from. */
  readonly below: readonly (readonly number[])[];
}

/** What gradients must know of a tensor whose values were asked for: it no longer knows how it was computed. */
export class History {
  constructor(
    private readonly descent: Descent,
    private readonly place: number,
  ) {}

  /** Whether the tensor was computed from one of these, other than through stopGradient. */
  comesFrom(wanted: Iterable<Tensor>): boolean {
    const places = new Set<number>();
    for (const tensor of wanted) {
      const place = this.descent.places.get(referenceTo(tensor));
      if (place !== undefined && place !== this.place) places.add(place);
    }
    return places.size > 0 && this.behind().some((place) => places.has(place));
  }

  /** What it was computed from and somebody still holds. */
  remembered(): Tensor[] {
    return this.behind().flatMap((place) => this.descent.references[place]!.deref() ?? []);
  }

  private behind(): number[] {
    const found = new Set<number>([this.place]);
    for (const place of found) for (const next of this.descent.below[place]!) found.add(next);
    found.delete(this.place);
    return [...found];
  }
}

/** What gradients of a tensor pass on to. Histories of long loops stay short: what nobody holds any more is left out. */
function differentiable(tensor: Tensor): readonly Tensor[] {
  const { source } = tensor;
  if (source.kind === 'device') return source.history?.remembered() ?? [];
  return source.kind === 'operation' && source.op === 'stopGradient' ? [] : dependencies(tensor);
}

/** The histories of tensors that are about to be computed together, in their order. */
export function historiesOf(tensors: readonly Tensor[]): History[] {
  const order = topologicalOrder(tensors, differentiable);
  const placeOf = new Map(order.map((tensor, place) => [tensor, place]));
  const all = order.map(referenceTo);
  const descent: Descent = {
    references: all,
    places: new Map(all.map((reference, place) => [reference, place])),
    below: order.map((tensor) => differentiable(tensor).map((each) => placeOf.get(each)!)),
  };
  return tensors.map((tensor) => new History(descent, placeOf.get(tensor)!));
}
