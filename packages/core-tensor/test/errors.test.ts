import { describe, expect, it } from 'vitest';
import { CheckpointError, ConfigError, formatShape, OcelliError, ShapeError } from '../src/errors.js';

describe('error messages', () => {
  it('say operation, expected, received and remedy in this order', () => {
    const error = new ShapeError({
      operation: 'matmul',
      expected: 'the last axis of a and the second to last of b to agree',
      received: [
        [2, 3],
        [4, 5],
      ],
      remedy: 'Transpose one of them, or reshape',
    });
    expect(error.message).toBe(
      'matmul: expected the last axis of a and the second to last of b to agree, received [2, 3] and [4, 5]. Transpose one of them, or reshape.',
    );
    expect(error.shapes).toEqual([
      [2, 3],
      [4, 5],
    ]);
    expect(error).toBeInstanceOf(OcelliError);
    expect(error.name).toBe('ShapeError');
  });

  it('end after what was received where there is no remedy', () => {
    const error = new ConfigError({ operation: 'split', expected: 'a count', received: '-1' });
    expect(error.message).toBe('split: expected a count, received -1.');
    expect(error.remedy).toBeUndefined();
  });

  it('list three shapes, and a scalar, readably', () => {
    const received = [[], [1], [2, 3]];
    expect(new ShapeError({ operation: 'where', expected: 'equal shapes', received }).received).toBe(
      '[], [1] and [2, 3]',
    );
    expect(formatShape([])).toBe('[]');
  });

  it('name the file and the key of a checkpoint, and keep the cause', () => {
    const cause = new Error('disk');
    const details = { operation: 'read safetensors', expected: 'x', received: 'y', file: '/a/b', key: 'c "d"', cause };
    const error = new CheckpointError(details);
    expect(error.message).toBe('read safetensors /a/b (key "c \\"d\\""): expected x, received y.');
    expect(error.file).toBe('/a/b');
    expect(error.key).toBe('c "d"');
    expect(error.cause).toBe(cause);
    expect('cause' in new CheckpointError({ operation: 'o', expected: 'x', received: 'y' })).toBe(false);
  });
});
