import type { LiveGraph } from './live-graph.js';
import type { Unit } from './units.js';

/** What keeps arguments whole until everyone has read them. */
export interface Protection {
  /** Units that have to wait for others. */
  readonly after: ReadonlyMap<Unit, ReadonlySet<Unit>>;
  /** Arguments that are copied before anything runs. */
  readonly snapshots: readonly number[];
}

/**
 * A result that is an argument with a slice replaced may be written over that argument, as a cache of keys is at every
 * token. Whoever else reads the argument has to do so before; where it needs the replaced slice itself, the argument is copied
 * first.
 */
export function protectArguments({ nodes, operation, outputs, root }: LiveGraph, units: readonly Unit[]): Protection {
  const after = new Map<Unit, Set<Unit>>();
  const snapshots: number[] = [];
  const results = new Set(outputs.map(root));
  for (const unit of units) {
    const [index] = unit.members as [number];
    const node = operation(index)!;
    if (node.op !== 'updateSlice' || !results.has(index)) continue;
    const argument = root(node.inputs[0]!);
    if (nodes[argument]!.kind !== 'input') continue;
    const readers = units.filter((each) => each !== unit && each.reads.has(argument));
    if (readers.some((reader) => waitsFor(reader, unit, after))) {
      if (!snapshots.includes(argument)) snapshots.push(argument);
    } else if (readers.length > 0) after.set(unit, new Set([...(after.get(unit) ?? []), ...readers]));
  }
  return { after, snapshots };
}

function waitsFor(unit: Unit, other: Unit, after: ReadonlyMap<Unit, ReadonlySet<Unit>>): boolean {
  const seen = new Set<Unit>();
  const pending = [unit];
  for (let each = pending.pop(); each; each = pending.pop()) {
    if (each === other) return true;
    if (seen.has(each)) continue;
    seen.add(each);
    pending.push(...each.after, ...(after.get(each) ?? []));
  }
  return false;
}
