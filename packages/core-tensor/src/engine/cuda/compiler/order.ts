import { GraphError } from '../../../errors.js';
import type { Unit } from './units.js';

/** Units in an order in which each comes after those it waits for; else as their operations were recorded. */
export function orderUnits(units: readonly Unit[], after: ReadonlyMap<Unit, ReadonlySet<Unit>>): Unit[] {
  const last = (unit: Unit) => unit.members.at(-1)!;
  const waiting = new Map<Unit, number>();
  const followers = new Map<Unit, Unit[]>();
  for (const unit of units) {
    const before = new Set([...unit.after, ...(after.get(unit) ?? [])]);
    waiting.set(unit, before.size);
    for (const each of before) followers.set(each, [...(followers.get(each) ?? []), unit]);
  }
  const ready = units.filter((unit) => waiting.get(unit) === 0).sort((a, b) => last(b) - last(a));
  const ordered: Unit[] = [];
  for (let unit = ready.pop(); unit; unit = ready.pop()) {
    ordered.push(unit);
    for (const each of followers.get(unit) ?? []) {
      const left = waiting.get(each)! - 1;
      waiting.set(each, left);
      if (left > 0) continue;
      const position = ready.findIndex((other) => last(other) < last(each));
      ready.splice(position < 0 ? ready.length : position, 0, each);
    }
  }
  if (ordered.length === units.length) return ordered;
  throw new GraphError({
    operation: 'cuda engine: compile',
    expected: 'kernels that can be put in order',
    received: `${units.length - ordered.length} that wait for each other`,
    remedy: 'This is an error of the engine: report the model that shows it.',
  });
}
