import { afterEach, describe, expect, test } from 'vitest';
import { startReferenceEngine } from '../../src/engine/reference/reference-engine.js';
import {
  cast,
  closeEngine,
  DTypeError,
  initializers,
  mul,
  Parameter,
  ShapeError,
  sum,
  useEngine,
} from '../../src/index.js';
import { expectNumbers } from '../support/expect-numbers.js';

afterEach(async () => {
  await closeEngine();
});

describe('a parameter', () => {
  test('is drawn when its values are first needed, and once', async () => {
    await useEngine('reference');
    let drawn = 0;
    const parameter = new Parameter([3], {
      initializer: () => {
        drawn++;
        return Float32Array.of(1, 2, 3);
      },
    });
    const doubled = mul(parameter, 2);
    expect([drawn, parameter.isMaterialized]).toEqual([0, false]);
    await expectNumbers(doubled, [2, 4, 6]);
    await expectNumbers(sum(parameter), [6]);
    expect([drawn, parameter.isMaterialized]).toEqual([1, true]);
  });

  test('moves to the engine in use, also for calls that need it at the same time', async () => {
    const parameter = new Parameter([2], { initializer: initializers.ones });
    const first = await useEngine('reference');
    parameter.set(Float32Array.of(4, 5));
    await expectNumbers(parameter, [4, 5]);
    const second = await useEngine('tfjs', { backend: 'cpu' });
    expect(second).not.toBe(first);
    const results = [mul(parameter, 2), mul(parameter, 3), mul(parameter, parameter)];
    await Promise.all(results.map((each) => each.data()));
    await expectNumbers(results[0]!, [8, 10]);
    await expectNumbers(results[1]!, [12, 15]);
    await expectNumbers(results[2]!, [16, 25]);
    expect((await parameter.bufferOn(second)).engine).toBe(second);
    await first.close();
    await expectNumbers(parameter, [4, 5]);
  });

  test('takes an array that is given up without a copy, and leaves others as they are', async () => {
    await useEngine('ort');
    const [kept, given, part] = [new Parameter([2]), new Parameter([2]), new Parameter([2])];
    const arrays = [Float32Array.of(1, 2), Float32Array.of(3, 4), Float32Array.of(5, 6, 7)] as const;
    kept.set(arrays[0]);
    given.set(arrays[1], { own: true });
    // Of a part of something larger, the rest is not the parameter's to take.
    part.set(arrays[2].subarray(1), { own: true });
    expect(await Promise.all([kept, given, part].map((each) => each.data()))).toEqual([
      Float32Array.of(1, 2),
      Float32Array.of(3, 4),
      Float32Array.of(6, 7),
    ]);
    expect(arrays.map(({ length }) => length)).toEqual([2, 0, 3]);
    const constant = Float32Array.of(8, 9);
    await expectNumbers(new Parameter([2], { initializer: () => constant }), [8, 9]);
    expect(constant).toHaveLength(2);
  });

  test('keeps values that are set while it moves', async () => {
    const [from, to] = [await startReferenceEngine(), await startReferenceEngine()];
    const parameter = new Parameter([1]);
    parameter.set(Float32Array.of(1));
    await parameter.bufferOn(from);
    const moving = parameter.bufferOn(to);
    parameter.set(Float32Array.of(2));
    expect(await to.download(await moving)).toEqual(Float32Array.of(2));
    expect(await parameter.data()).toEqual(Float32Array.of(2));
  });

  test('counts its changes', () => {
    const parameter = new Parameter([1]);
    const before = parameter.version;
    parameter.set(Float32Array.of(1));
    expect(parameter.version).toBe(before + 1);
  });

  test('refuses values of another number or type', () => {
    const parameter = new Parameter([2]);
    expect(() => parameter.set(new Float32Array(3))).toThrow(ShapeError);
    expect(() => parameter.set(new Float32Array(3))).toThrow(
      'Parameter.set: expected 2 values for shape [2], received [3].',
    );
    expect(() => parameter.set(Uint16Array.of(1, 2))).toThrow(DTypeError);
  });

  test('may be stored in 16 bits', async () => {
    await useEngine('reference');
    const parameter = new Parameter([2], { dtype: 'bfloat16', initializer: () => Float32Array.of(1.5, -3) });
    expect(await parameter.data()).toEqual(Uint16Array.of(0x3fc0, 0xc040));
    await expectNumbers(cast(parameter, 'float32'), [1.5, -3]);
  });
});
