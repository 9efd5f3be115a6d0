import { describe, expect, test } from 'vitest';
import { ConfigError, type ConfigIssue, type ConfigSchema, parseConfig } from '../src/index.js';

/** A schema that finds these problems, or nothing wrong. */
function schema(...issues: ConfigIssue[]): ConfigSchema<{ depth: number }> {
  return {
    safeParse: () =>
      issues.length === 0 ? { success: true, data: { depth: 2 } } : { success: false, error: { issues } },
  };
}

function messageFor(config: unknown, ...issues: ConfigIssue[]): string {
  try {
    parseConfig('train', schema(...issues), config);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).received;
  }
  return '';
}

describe('a configuration', () => {
  test('is what the schema makes of it', () => {
    expect(parseConfig('train', schema(), {})).toEqual({ depth: 2 });
  });

  test('that is invalid is an error of the operation', () => {
    const parse = () => parseConfig('train', schema({ path: ['depth'], message: 'is needed' }), {});
    expect(parse).toThrow(
      'train: expected a valid configuration, received depth: is needed. Correct the named fields.',
    );
  });

  test('is refused with every problem, its path and the value', () => {
    const config = { stages: [{ steps: 0 }], name: 'x' };
    const steps = { path: ['stages', 0, 'steps'], message: 'Too small: expected number to be >0.' };
    const name = { path: ['name'], message: 'Invalid input: expected number, received string' };
    expect(messageFor(config, steps, name)).toBe(
      'stages.0.steps: Too small: expected number to be >0 (received 0); name: Invalid input: expected number (received "x")',
    );
  });

  test('is refused without its value where that is an object, or is not there', () => {
    const issue = { path: ['depth'], message: 'Invalid input: expected number, received object' };
    expect(messageFor({ depth: { a: 1 } }, issue)).toBe('depth: Invalid input: expected number, received object');
    expect(messageFor({}, { path: ['depth', 'inner'], message: 'is needed' })).toBe('depth.inner: is needed');
    expect(messageFor(null, { path: [], message: 'expected object, received null' })).toBe(
      'expected object, received null',
    );
  });

  test('is refused with the whole path of each unknown key', () => {
    const issue = {
      code: 'unrecognized_keys',
      path: ['stages', 0],
      keys: ['rate', 'step'],
      message: 'Unrecognized keys',
    };
    expect(messageFor({}, issue)).toBe('unknown key "stages.0.rate"; unknown key "stages.0.step"');
  });

  test('that fits no member of a union is refused for the member that came closest', () => {
    const tooLong = { path: ['schedule', 'warmup'], message: 'Too big' };
    const issue = {
      path: ['stages'],
      message: 'Invalid input',
      errors: [[{ path: [], message: 'expected string' }], [tooLong]],
    };
    expect(messageFor({ stages: { schedule: { warmup: 9 } } }, issue)).toBe(
      'stages.schedule.warmup: Too big (received 9)',
    );
    expect(messageFor({ stages: 'x' }, { path: ['stages'], message: 'Invalid discriminator', errors: [] })).toBe(
      'stages: Invalid discriminator (received "x")',
    );
  });
});
