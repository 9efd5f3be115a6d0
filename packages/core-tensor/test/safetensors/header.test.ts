import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../../src/errors.js';
import { findRepeatedKey } from '../../src/safetensors/json.js';
import { parseSafetensors } from '../../src/safetensors/memory.js';
import { fileBytes } from './files.js';

const f32 = (shape: unknown, begin: unknown, end: unknown) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });

function refusal(bytes: Uint8Array): CheckpointError {
  try {
    parseSafetensors(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(CheckpointError);
    return error as CheckpointError;
  }
  throw new Error('the file was accepted');
}

describe('a well-formed header', () => {
  it('may list tensors in any order, and end in spaces', () => {
    const header = `${JSON.stringify({ b: f32([2], 4, 12), a: f32([], 0, 4) })}   `;
    const { tensors, metadata } = parseSafetensors(fileBytes(header, 12));
    expect([...tensors.keys()]).toEqual(['b', 'a']);
    expect(metadata).toEqual({});
    expect(new Uint8Array(tensors.get('b')!.data.buffer)).toEqual(Uint8Array.of(4, 5, 6, 7, 8, 9, 10, 11));
    expect(tensors.get('a')!.shape).toEqual([]);
  });

  it('may hold no tensors, empty tensors, and any key', () => {
    expect(parseSafetensors(fileBytes('{}', 0)).tensors.size).toBe(0);
    const header = `{"__proto__":${JSON.stringify(f32([1], 0, 4))},"":${JSON.stringify(f32([0, 3], 4, 4))}}`;
    const { tensors } = parseSafetensors(fileBytes(header, 4));
    expect([...tensors.keys()]).toEqual(['__proto__', '']);
    expect(tensors.get('')!.data).toHaveLength(0);
  });

  it('may have metadata', () => {
    const header = { __metadata__: { format: 'pt', note: 'a' }, a: f32([1], 0, 4) };
    expect(parseSafetensors(fileBytes(header, 4)).metadata).toEqual({ format: 'pt', note: 'a' });
  });
});

describe('a malformed file', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['no bytes', new Uint8Array(0), /at least 8 bytes, received 0 bytes/],
    ['seven bytes', new Uint8Array(7), /at least 8 bytes, received 7 bytes/],
    ['an empty header', new Uint8Array(8), /starts with \{, received an empty header/],
    ['a header beyond the end', fileBytes('{}', 0).subarray(0, 9), /the 2 bytes of header .* received 1 bytes/],
    ['a header length of 2⁶⁴ − 1', new Uint8Array(20).fill(255), /at most 100000000 bytes, .* 18446744073709551615/],
    ['a leading space', fileBytes(' {}', 0), /starts with \{, received byte 32/],
    ['a byte order mark', fileBytes('\ufeff{}', 0), /starts with \{/],
    ['an array', fileBytes('[]', 0), /starts with \{/],
    ['broken JSON', fileBytes('{"a":}', 0), /a header in JSON/],
    ['something behind the JSON', fileBytes('{}x', 0), /a header in JSON/],
    ['deep nesting', fileBytes(`{"a":${'['.repeat(100_000)}`, 0), /a header in JSON/],
  ])('with %s is refused', (_, bytes, message) => {
    const error = refusal(bytes);
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeDefined();
  });

  it('that is not UTF-8 is refused', () => {
    const bytes = fileBytes('{"ab":1}', 0);
    bytes[10] = 0xff;
    expect(refusal(bytes).message).toMatch(/a header in UTF-8/);
  });

  it('that is something else is recognised', () => {
    const pointer = new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n');
    expect(refusal(pointer).message).toMatch(/git lfs pull/);
    const archive = Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0]);
    expect(refusal(archive).message).toMatch(/convert it to safetensors/);
  });
});

describe('a malformed entry', () => {
  const offsets = /data_offsets/;
  it.each<[string, unknown, number, RegExp]>([
    ['that is no object', 7, 0, /an object with dtype, shape and data_offsets, received 7/],
    ['that is null', null, 0, /received null/],
    ['that is a list', [], 0, /received \[\]/],
    ['without a dtype', { shape: [], data_offsets: [0, 4] }, 4, /a dtype among BOOL, U8, .*, received undefined/],
    ['of an unknown dtype', { ...f32([1], 0, 4), dtype: 'F8_E8M0' }, 4, /received "F8_E8M0"/],
    ['of a dtype that is an object', { ...f32([1], 0, 4), dtype: {} }, 4, /received \{\}/],
    ['without a shape', { dtype: 'F32', data_offsets: [0, 4] }, 4, /a shape .* received undefined/],
    ['of a negative size', f32([-1], 0, 4), 4, /received \[-1\]/],
    ['of two negative sizes', f32([-1, -1], 0, 4), 4, /received \[-1,-1\]/],
    ['of a fractional size', f32([1.5], 0, 6), 6, /a shape of non-negative integers/],
    ['of a size that is text', f32(['1'], 0, 4), 4, /received \["1"\]/],
    ['of a size beyond exact numbers', f32([2 ** 53], 0, 4), 4, /whose bytes can be counted/],
    ['whose size overflows', f32([2 ** 30, 2 ** 30], 0, 4), 4, /whose bytes can be counted/],
    ['whose overflow is hidden by an empty axis', f32([2 ** 40, 2 ** 40, 0], 0, 0), 0, /whose bytes can be counted/],
    ['whose overflow follows an empty axis', f32([0, 2 ** 40, 2 ** 40], 0, 0), 0, /whose bytes can be counted/],
    ['without offsets', { dtype: 'F32', shape: [1] }, 4, offsets],
    ['with three offsets', { ...f32([1], 0, 4), data_offsets: [0, 4, 4] }, 4, offsets],
    ['with fractional offsets', f32([1], 0.5, 4.5), 5, offsets],
    ['with offsets that are text', f32([1], '0', '4'), 4, offsets],
    ['with negative offsets', f32([1], -4, 0), 4, /in order within the 4 bytes of data, received \[-4,0\]/],
    ['with reversed offsets', f32([1], 4, 0), 4, /in order within/],
    ['that ends beyond the data', f32([2], 0, 8), 7, /in order within the 7 bytes of data, received \[0,8\]/],
    ['whose size does not match', f32([2], 0, 4), 4, /8 bytes for "F32" of shape \[2\], received 4 bytes/],
    ['that leaves a hole before it', f32([1], 4, 8), 8, /starts at byte 0, received a hole of 4 bytes, starting at 4/],
  ])('%s is refused by name', (_, entry, dataBytes, message) => {
    const error = refusal(fileBytes({ 'layer.weight': entry }, dataBytes));
    expect(error.message).toMatch(message);
    expect(error.message).toContain('(key "layer.weight")');
    expect(error.key).toBe('layer.weight');
  });

  it('that overlaps another is refused', () => {
    const error = refusal(fileBytes({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8));
    expect(error.key).toBe('b');
    expect(error.message).toMatch(/starts at byte 8, received an overlap/);
    expect(refusal(fileBytes({ a: f32([2], 0, 8), b: f32([2], 0, 8) }, 8)).message).toMatch(/overlap/);
  });

  it('that leaves data without a tensor is refused', () => {
    expect(refusal(fileBytes({ a: f32([1], 0, 4) }, 5)).message).toMatch(/4 bytes of data, .* received 5 bytes/);
    expect(refusal(fileBytes('{}', 1)).message).toMatch(/0 bytes of data/);
  });

  it('that occurs twice is refused, however its key is spelled', () => {
    const entry = JSON.stringify(f32([1], 0, 4));
    expect(refusal(fileBytes(`{"a":${entry},"a":${entry}}`, 4)).message).toMatch(/"a" twice/);
    expect(refusal(fileBytes(`{"a":${entry}, "\\u0061" :${entry}}`, 4)).key).toBe('a');
    expect(refusal(fileBytes('{"a":{"dtype":"F32","shape":[],"dtype":"I32","data_offsets":[0,4]}}', 4)).key).toBe(
      'dtype',
    );
  });

  it('whose key cannot be encoded is refused', () => {
    expect(refusal(fileBytes(`{"\\ud800":${JSON.stringify(f32([], 0, 4))}}`, 4)).message).toMatch(/lone surrogate/);
  });

  it.each([[null], [{ format: 1 }], [['pt']], ['pt'], [{ format: { a: 'b' } }]])(
    'of metadata %j is refused',
    (metadata) => {
      expect(refusal(fileBytes({ __metadata__: metadata }, 0)).key).toBe('__metadata__');
    },
  );
});

describe('findRepeatedKey', () => {
  it('compares keys within one object only', () => {
    expect(findRepeatedKey('{"a":{"x":1},"b":{"x":1}}')).toBeUndefined();
    expect(findRepeatedKey('{"a":"a","b":["a","a"]}')).toBeUndefined();
    expect(findRepeatedKey('{"a":{"x":1,"y":"x"},"x":"x"}')).toBeUndefined();
    expect(findRepeatedKey('{"a":{"x":1,"x" \n:2}}')).toBe('x');
    expect(findRepeatedKey('{"\\"":1,"a\\\\":2,"\\"":3}')).toBe('"');
    expect(findRepeatedKey('{"a":[{"x":1},{"x":1}],"b":1,"a":2}')).toBe('a');
  });

  it('takes linear time', () => {
    const text = `{${Array.from({ length: 100_000 }, (_, i) => `"key ${i}":[${i}]`).join(',')},"key 5":0}`;
    expect(findRepeatedKey(text)).toBe('key 5');
  });
});
