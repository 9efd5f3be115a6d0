import { describe, expect, it } from 'vitest';
import { byteSize } from '../../src/dtype.js';
import { CheckpointError } from '../../src/errors.js';
import { randomKey } from '../../src/random/key.js';
import { boundedInteger, wordSequence } from '../../src/random/words.js';
import { parseSafetensors, serializeSafetensors } from '../../src/safetensors/memory.js';
import { openSafetensors } from '../../src/safetensors/reader.js';
import { temporaryFolders, writeBytes } from './files.js';

const original = serializeSafetensors(
  {
    weight: { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    ids: { dtype: 'int64', shape: [2], data: BigInt64Array.of(1n, -1n) },
    'half é': { dtype: 'float16', shape: [1, 2], data: Uint16Array.of(1, 2) },
    mask: { dtype: 'bool', shape: [], data: Uint8Array.of(1) },
    empty: { dtype: 'bfloat16', shape: [0, 7], data: new Uint16Array(0) },
  },
  { metadata: { format: 'pt' } },
);
const headerEnd = 8 + Number(new DataView(original.buffer).getBigUint64(0, true));

// What a header is made of, so that many mutants are still JSON.
const pieces = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '0',
  '9',
  '-',
  '.',
  'e',
  '\\',
  ' ',
  'null',
  '1e99',
  '999999999999',
  'F64',
  'I8',
  '\u0000',
  '\u00ff',
];

/** One to four edits of the length, the header or the end of the file. */
function mutate(bytes: Uint8Array<ArrayBuffer>, random: (range: number) => number): Uint8Array {
  let mutant = bytes.slice();
  for (let edits = 1 + random(4); edits > 0; edits--) {
    const limit = Math.min(headerEnd, mutant.length);
    const at = limit === 0 ? 0 : random(limit);
    switch (random(6)) {
      case 0:
        mutant[at] = random(256);
        break;
      case 1:
        mutant[at]! ^= 1 << random(8);
        break;
      case 2:
        mutant = mutant.slice(0, random(mutant.length + 1));
        break;
      case 3: {
        // A header that grows or shrinks together with its length reaches the checks behind the parser.
        const piece = new TextEncoder().encode(pieces[random(pieces.length)]!);
        const removed = random(3);
        mutant = Uint8Array.from([...mutant.slice(0, at), ...piece, ...mutant.slice(at + removed)]);
        if (mutant.length >= 8 && random(4) > 0) {
          new DataView(mutant.buffer).setBigUint64(0, BigInt(headerEnd - 8 + piece.length - removed), true);
        }
        break;
      }
      case 4: {
        const digits = [...mutant.keys()].filter((i) => i >= 8 && i < limit && mutant[i]! >= 48 && mutant[i]! <= 57);
        if (digits.length > 0) {
          mutant[digits[random(digits.length)]!] = 48 + random(10);
        }
        break;
      }
      default:
        mutant = Uint8Array.from([...mutant, ...Array.from({ length: random(9) }, () => random(256))]);
    }
  }
  return mutant;
}

function* mutants(count: number): Generator<Uint8Array> {
  const next = wordSequence(randomKey('safetensors mutations'));
  for (let i = 0; i < count; i++) {
    yield mutate(original, (range) => boundedInteger(next, range));
  }
}

describe('mutated files', () => {
  const newFolder = temporaryFolders();

  it('are read consistently or refused with a CheckpointError, 20000 times', () => {
    let accepted = 0;
    const refusals = new Set<string>();
    for (const mutant of mutants(20_000)) {
      try {
        const { tensors } = parseSafetensors(mutant);
        accepted++;
        let bytes = 0;
        for (const { dtype, shape, data } of tensors.values()) {
          const elements = shape.reduce((product, size) => product * size, 1);
          expect(data).toHaveLength(elements);
          bytes += elements * byteSize(dtype);
        }
        expect(bytes).toBeLessThanOrEqual(mutant.length - 8);
      } catch (error) {
        if (!(error instanceof CheckpointError)) {
          throw error;
        }
        refusals.add(error.expected.replaceAll(/\d+/g, 'N').slice(0, 24));
      }
    }
    // The mutations reach past the parser on both sides.
    expect(accepted).toBeGreaterThan(100);
    expect(refusals.size).toBeGreaterThan(10);
  });

  it('on disk meet the same fate as in memory, 2000 times', async () => {
    const folder = await newFolder();
    for (const mutant of mutants(2_000)) {
      const path = await writeBytes(folder, 'mutant.safetensors', mutant);
      const inMemory = outcome(() => parseSafetensors(mutant).tensors.size);
      const onDisk = await openSafetensors(path).then(
        async (reader) => {
          for (const name of reader.keys()) {
            await reader.read(name, { as: 'float32' });
          }
          await reader.close();
          return reader.keys().length;
        },
        (error: unknown) => (error as CheckpointError).expected ?? error,
      );
      expect(onDisk).toEqual(inMemory);
    }
  });
});

function outcome(parse: () => number): number | string {
  try {
    return parse();
  } catch (error) {
    return (error as CheckpointError).expected;
  }
}
