/** Writes a `tokenizer.model` for tests: fields of a protobuf message from numbers, texts, floats and messages. */
export type Field = readonly [number: number, value: number | string | Uint8Array | { readonly float: number }];

export function message(...fields: readonly Field[]): Uint8Array {
  return Uint8Array.from(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [...varint(number * 8), ...varint(value)];
      if (typeof value === 'object' && 'float' in value) {
        return [...varint(number * 8 + 5), ...new Uint8Array(Float32Array.of(value.float).buffer)];
      }
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
    }),
  );
}

/** A negative number takes ten bytes, as protobuf writes one. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) | 128);
  }
}

const TYPES = { normal: 1, unknown: 2, control: 3, user: 4, unused: 5, byte: 6 } as const;

export interface ModelParts {
  readonly pieces: readonly (readonly [piece: string, score: number, type?: keyof typeof TYPES])[];
  readonly trainer?: readonly Field[];
  readonly normalizer?: readonly Field[];
}

export function modelFile({ pieces, trainer = [[3, 2]], normalizer = [[4, 0]] }: ModelParts): Uint8Array {
  return message(
    ...pieces.map(
      ([piece, float, type = 'normal']): Field => [1, message([1, piece], [2, { float }], [3, TYPES[type]])],
    ),
    [2, message(...trainer)],
    [3, message(...normalizer)],
  );
}
