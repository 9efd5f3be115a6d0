import { CheckpointError } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeFailure, UnknownNameError, UsageError } from '../src/errors.js';
import { nearestName } from '../src/nearest-name.js';

describe('nearestName', () => {
  const names = ['reproduce', 'train', 'eval', 'doctor', 'parity'];

  it.each([
    ['pairty', 'parity'],
    ['Train', 'train'],
    ['evla', 'eval'],
    ['reproduc', 'reproduce'],
    ['dotcor', 'doctor'],
  ])('finds for %s the name %s', (typed, meant) => {
    expect(nearestName(typed, names)).toBe(meant);
  });

  it('finds nothing where nothing is near', () => {
    expect(nearestName('benchmark', names)).toBeUndefined();
    expect(nearestName('x', [])).toBeUndefined();
  });
});

describe('describeFailure', () => {
  it('tells usage from failure', () => {
    expect(describeFailure(new UsageError('train: expected a file.'))).toEqual({
      message: 'train: expected a file.',
      exitCode: 2,
    });
    const unknown = new UnknownNameError('recipe', 'honeybe', ['honeybee', 'eagle']);
    expect(describeFailure(unknown)).toEqual({
      message: 'recipe: expected one of honeybee, eagle, received "honeybe". Did you mean honeybee?',
      exitCode: 2,
    });
  });

  it("prints the message of the project's errors and of the operating system's as they are", () => {
    const error = new CheckpointError({
      operation: 'read',
      file: 'a.safetensors',
      expected: 'a header',
      received: 'nothing',
    });
    expect(describeFailure(error)).toEqual({ message: error.message, exitCode: 1 });
    const missing = Object.assign(new Error("ENOENT: no such file, open 'x'"), { code: 'ENOENT', syscall: 'open' });
    expect(describeFailure(missing)).toEqual({ message: missing.message, exitCode: 1 });
  });

  it('names the keys of a configuration that is refused', () => {
    const schema = z.strictObject({ stages: z.array(z.strictObject({ steps: z.number() })) });
    const { error } = schema.safeParse({ stages: [{ steps: 'many' }], epochs: 3 });
    const { message, exitCode } = describeFailure(error);
    expect(exitCode).toBe(1);
    expect(message).toMatch(/^configuration: stages\.0\.steps: .*expected number.*; .*"epochs"/);
  });

  it('says that anything else was not expected', () => {
    expect(describeFailure(new TypeError('x is not a function')).message).toMatch(
      /^Unexpected error: x is not a function\n.*--debug/,
    );
    expect(describeFailure('text')).toEqual({ message: 'Unexpected error: text', exitCode: 1 });
  });
});
