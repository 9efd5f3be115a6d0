/** Bytes of instructions, built up by the functions below. */
export type Code = readonly number[];

/** An unsigned integer in LEB128, as WebAssembly writes sizes and indices. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** Instructions on 128-bit vectors of four float32 (WebAssembly core specification 2.0, section 5.4.8). */
const vectorInstructions = {
  load: 0x00,
  loadSplat32: 0x09,
  store: 0x0b,
  constant: 0x0c,
  equal: 0x41,
  less: 0x43,
  lessEqual: 0x45,
  not: 0x4d,
  and: 0x4e,
  or: 0x50,
  select: 0x52,
  ceil: 0x67,
  floor: 0x68,
  nearest: 0x6a,
  abs: 0xe0,
  neg: 0xe1,
  sqrt: 0xe3,
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  min: 0xe8,
  max: 0xe9,
} as const;

export type VectorInstruction = keyof typeof vectorInstructions;

/** An instruction on vectors that takes its operands from the stack. */
export function vector(name: VectorInstruction): Code {
  return [0xfd, ...unsigned(vectorInstructions[name])];
}

/** Reads four floats at `address` (on the stack) + `offset`. */
export function load(offset: number): Code {
  return [...vector('load'), 2, ...unsigned(offset)];
}

/** Writes the four floats on the stack at `address` (below them) + `offset`. */
export function store(offset: number): Code {
  return [...vector('store'), 2, ...unsigned(offset)];
}

/** Reads one float at `offset` into all four lanes. */
export function loadSplat(offset: number): Code {
  return [0x41, 0, ...vector('loadSplat32'), 2, ...unsigned(offset)];
}

/** One float32 in all four lanes. */
export function constant(value: number): Code {
  const lane = [...new Uint8Array(Float32Array.of(value).buffer)];
  return [...vector('constant'), ...lane, ...lane, ...lane, ...lane];
}

export const getLocal = (index: number): Code => [0x20, ...unsigned(index)];
export const setLocal = (index: number): Code => [0x21, ...unsigned(index)];

/**
 * A module with one function `run(end: i32)` over an imported memory `host.memory`.
 *
 * Local 0 is `end`, local 1 the address of the loop, locals 2 and up are vectors. The loop body runs at least once, for
 * address 0, 16, 32, … while it is below `end`.
 *
 * @param vectorLocals number of vectors.
 */
export function encodeLoopModule(before: Code, body: Code, vectorLocals: number): Uint8Array<ArrayBuffer> {
  const [i32, v128] = [0x7f, 0x7b];
  const advance = [...getLocal(1), 0x41, 16, 0x6a, 0x22, 1, ...getLocal(0), 0x49, 0x0d, 0];
  const locals = [2, 1, i32, ...unsigned(vectorLocals), v128];
  const code = [...locals, ...before, 0x03, 0x40, ...body, ...advance, 0x0b, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, i32, 0]),
    ...section(2, [1, ...text('host'), ...text('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text('run'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}

function section(id: number, contents: Code): Code {
  return [id, ...unsigned(contents.length), ...contents];
}

function text(value: string): Code {
  return [value.length, ...new TextEncoder().encode(value)];
}
