import { createHash } from 'node:crypto';
import { type DType, isFloating } from '../../../dtype.js';
import { cTypes } from './c-types.js';
import type { PlannedLaunch, Role } from './lowered.js';

/** A pointer parameter of a kernel. */
export interface Parameter {
  readonly role: Role;
  /** Type of the elements. */
  readonly type: string;
  readonly name: string;
  readonly access: 'read' | 'write';
}

/** A parameter that is only read. */
export function reads(role: Role, type: string, name: string): Parameter {
  return { role, type, name, access: 'read' };
}

/** A parameter that is written, and may be read. */
export function writes(role: Role, type: string, name: string): Parameter {
  return { role, type, name, access: 'write' };
}

/** What a launch is made of. */
export interface LaunchText {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Statements of the kernel's body. */
  readonly body: string;
  /** Texts of functions that the body calls; each guarded, so that several kernels of one module may have it. */
  readonly helpers?: readonly string[];
  readonly blocks: number | readonly [x: number, y: number, z: number];
  readonly threads: number;
  readonly sharedBytes?: number;
  /** Blocks that are to fit on a multiprocessor at once; bounds the registers. */
  readonly resident?: number;
  /** Whether the kernel may write the memory it reads, element by element. Default: no two pointers alias. */
  readonly inPlace?: boolean;
}

/** A kernel and how it is launched. */
export function launch(text: LaunchText): PlannedLaunch {
  const { name, parameters, body, helpers = [], blocks, threads, sharedBytes = 0, resident, inPlace = false } = text;
  const list = parameters.map(
    ({ type, name: each, access }) =>
      `${access === 'read' ? 'const ' : ''}${type}*${inPlace ? '' : ' __restrict__'} ${each}`,
  );
  const bounds = `__launch_bounds__(${threads}${resident ? `, ${resident}` : ''})`;
  const source = `(${list.join(', ')}) {\n${body.trim()}\n}\n`;
  // Equal texts are one kernel, others have other names.
  const unique = `${name}_${createHash('sha256').update(bounds).update(source).digest('hex').slice(0, 12)}`;
  return {
    kernel: { name: unique, source: `${helpers.join('')}extern "C" __global__ void ${bounds} ${unique}${source}` },
    grid: typeof blocks === 'number' ? [blocks, 1, 1] : blocks,
    block: [threads, 1, 1],
    sharedBytes,
    roles: parameters.map(({ role }) => role),
    writes: parameters.filter(({ access, role }) => access === 'write' && role !== 'failure').map(({ role }) => role),
  };
}

/** A text that is compiled once however often it appears. */
export function guarded(name: string, text: string): string {
  return `#ifndef OCELLI_${name}\n#define OCELLI_${name}\n${text.trim()}\n#endif\n`;
}

/** Threads that each do one of `count` things. */
export function spread(count: number, threads = 256): { readonly blocks: number; readonly threads: number } {
  return { blocks: Math.ceil(count / threads), threads };
}

/** First statements of a kernel that is {@link spread}: `i`, the thing that a thread does. */
export function eachOf(count: number, threads = 256): string {
  const type = indexType(count);
  return `const ${type} i = (${type})blockIdx.x * ${threads} + threadIdx.x;\nif (i >= ${integer(count)}) return;`;
}

/** The type that counts elements: of 64 bits only where there are that many. */
export function indexType(...counts: readonly number[]): 'int' | 'int64' {
  return counts.every((count) => count < 2 ** 30) ? 'int' : 'int64';
}

/** A whole number as it is written in C. */
export function integer(value: number): string {
  return Math.abs(value) < 2 ** 31 ? String(value) : `${value}LL`;
}

/** A float32 as it is written in C. */
export function float(value: number): string {
  if (!Number.isFinite(value)) {
    return `__uint_as_float(${Number.isNaN(value) ? '0x7fc00000' : value > 0 ? '0x7f800000' : '0xff800000'}u)`;
  }
  const text = String(Math.fround(value));
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}

/** An element converted between storages: floats through float, integers as they are. */
export function converted(from: DType, to: DType, element: string): string {
  if (from === to) return element;
  if (isFloating(from) && isFloating(to)) return `from_float<${cTypes[to]}>(to_float(${element}))`;
  return `(${cTypes[to]})(${element})`;
}

/** How elements of a dtype are added up: 16-bit floats in float, booleans by or. */
export function summation(dtype: DType): {
  readonly type: string;
  load(element: string): string;
  add(sum: string, term: string): string;
  store(sum: string): string;
} {
  if (isFloating(dtype)) {
    return {
      type: 'float',
      load: (element) => `to_float(${element})`,
      add: (sum, term) => `${sum} + ${term}`,
      store: (sum) => `from_float<${cTypes[dtype]}>(${sum})`,
    };
  }
  // Unsigned sums wrap around as integers do; those of signed ones may not overflow in C++.
  const type = dtype === 'int64' ? 'unsigned long long' : 'uint32';
  return {
    type,
    load: (element) => `(${type})(${element})`,
    add: (sum, term) => (dtype === 'bool' ? `${sum} | ${term}` : `${sum} + ${term}`),
    store: (sum) => `(${cTypes[dtype]})(${sum})`,
  };
}

const words = { 1: 'uint8', 2: 'uint16', 4: 'uint32', 8: 'bytes8', 16: 'bytes16' } as const;

/** Types of 8 and 16 bytes, for copies. */
export const wordTypes = guarded(
  'WORDS',
  `
struct alignas(8) bytes8 { uint32 words[2]; };
struct alignas(16) bytes16 { uint32 words[4]; };`,
);

/** The widest word that divides all of the given numbers of bytes. */
export function widestWord(bytes: readonly number[]): { readonly bytes: number; readonly type: string } {
  const width = ([16, 8, 4, 2, 1] as const).find((each) => bytes.every((count) => count % each === 0))!;
  return { bytes: width, type: words[width] };
}

/** `sum_of_warp(x)`: the same sum in every lane. */
export const warpSum = guarded(
  'WARP_SUM',
  `
__device__ __forceinline__ float sum_of_warp(float x) {
  for (int lane = 16; lane > 0; lane >>= 1) x += __shfl_xor_sync(0xffffffffu, x, lane);
  return x;
}`,
);
