import { identityOf } from './identity.js';
import { Tensor } from './tensor.js';

/** A nested value with its tensors taken out: `{ tensor: i }` stands for tensor number i. */
export type Structure =
  | { readonly tensor: number }
  | { readonly list: readonly Structure[] }
  | { readonly record: Readonly<Record<string, Structure>> }
  | { readonly value: unknown };

/** Takes the tensors out of nested arrays and plain objects; anything else stays in the structure. */
export function flatten(value: unknown): { leaves: Tensor[]; structure: Structure } {
  const leaves: Tensor[] = [];
  const visit = (inner: unknown): Structure => {
    if (inner instanceof Tensor) return { tensor: leaves.push(inner) - 1 };
    if (Array.isArray(inner)) return { list: inner.map(visit) };
    if (typeof inner === 'object' && inner !== null && Object.getPrototypeOf(inner) === Object.prototype) {
      return { record: Object.fromEntries(Object.entries(inner).map(([name, each]) => [name, visit(each)])) };
    }
    return { value: inner };
  };
  return { structure: visit(value), leaves };
}

/** Puts tensors back into a structure. */
export function unflatten(structure: Structure, leaves: readonly Tensor[]): unknown {
  if ('tensor' in structure) return leaves[structure.tensor];
  if ('list' in structure) return structure.list.map((each) => unflatten(each, leaves));
  if ('record' in structure) {
    return Object.fromEntries(Object.entries(structure.record).map(([name, each]) => [name, unflatten(each, leaves)]));
  }
  return structure.value;
}

/**
 * A text that two structures share exactly if they are equal. Plain values and typed arrays count by value, functions
 * and other objects by identity.
 */
export function structureKey(structure: Structure): string {
  if ('tensor' in structure) return `t${structure.tensor}`;
  if ('list' in structure) return `[${structure.list.map(structureKey).join()}]`;
  if ('record' in structure) {
    return `{${Object.entries(structure.record).map(([name, each]) => `${JSON.stringify(name)}:${structureKey(each)}`)}}`;
  }
  return valueKey(structure.value);
}

function valueKey(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return `${value.constructor.name}(${value})`;
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject ? `#${identityOf(value)}` : String(value);
}
