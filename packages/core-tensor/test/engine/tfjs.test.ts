import * as tfjs from '@tensorflow/tfjs-core';
import { describe, expect, test, vi } from 'vitest';
import { buildGraph } from '../../src/engine/build-graph.js';
import { startTfjsEngine } from '../../src/engine/tfjs/tfjs-engine.js';
import { ConfigError, EngineError } from '../../src/errors.js';
import { add, conv2d, gradients, layerNorm, matmul, mul, softmax, sum, Tensor, tensor } from '../../src/index.js';

const input = (shape: readonly number[], dtype: 'float32' | 'int64' | 'uint8' = 'float32'): Tensor =>
  new Tensor(shape, dtype, { kind: 'input' });

describe('the tfjs engine', () => {
  test.each(['wasm', 'cpu'] as const)('leaves no tensors behind on %s', async (backend) => {
    const engine = await startTfjsEngine({ backend });
    const atStart = tfjs.memory().numTensors;
    const [x, weight, kernel] = [input([2, 3, 6, 6]), input([4, 4]), input([1, 3, 3, 3])];
    const rows = matmul(conv2d(x, kernel), weight);
    const loss = sum(softmax(layerNorm(rows)));
    const { graph } = buildGraph([loss, rows, ...gradients(loss, [weight, kernel])], [x, weight, kernel], () => ({
      kind: 'constant',
    }));
    const program = await engine.compile(graph);
    const buffers = [x, weight, kernel].map(({ shape, size }) =>
      engine.upload(
        Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
        shape,
        'float32',
      ),
    );
    const afterCompile = tfjs.memory().numTensors;
    for (let round = 0; round < 3; round++) {
      const results = await engine.run(program, buffers);
      expect(tfjs.memory().numTensors).toBe(afterCompile + results.length);
      for (const result of results) engine.free(result);
      expect(tfjs.memory().numTensors).toBe(afterCompile);
    }
    engine.release(program);
    for (const buffer of buffers) engine.free(buffer);
    expect(tfjs.memory().numTensors).toBe(atStart);
    engine.upload(Float32Array.of(1), [1], 'float32');
    await engine.close();
    expect(tfjs.memory().numTensors).toBe(atStart);
  });

  test('leaves no tensors behind when a run fails or writes over a buffer', async () => {
    const engine = await startTfjsEngine({ backend: 'cpu' });
    const x = input([2]);
    const program = await engine.compile(buildGraph([mul(add(x, 1), x)], [x], () => ({ kind: 'constant' })).graph);
    const buffer = engine.upload(Float32Array.of(1, 2), [2], 'float32');
    const held = tfjs.memory().numTensors;
    await engine.run(program, [buffer], [buffer]);
    expect(tfjs.memory().numTensors).toBe(held);
    const kernel = tfjs.getKernel('Multiply', 'cpu');
    tfjs.unregisterKernel('Multiply', 'cpu');
    await expect(engine.run(program, [buffer])).rejects.toThrow(
      /^tfjs engine: mul: expected the cpu backend to succeed, received .*'Multiply'/,
    );
    tfjs.registerKernel(kernel);
    expect(tfjs.memory().numTensors).toBe(held);
    await engine.close();
  });

  test('computes on its own backend, whichever engine ran last', async () => {
    const [wasm, cpu] = [await startTfjsEngine({ backend: 'wasm' }), await startTfjsEngine({ backend: 'cpu' })];
    const x = input([2]);
    const { graph } = buildGraph([add(x, 1)], [x], () => ({ kind: 'constant' }));
    const programs = [await wasm.compile(graph), await cpu.compile(graph)];
    const used: string[] = [];
    for (const [index, engine] of [wasm, cpu, wasm, cpu].entries()) {
      const [result] = await engine.run(programs[index % 2]!, [engine.upload(Float32Array.of(1, 2), [2], 'float32')]);
      used.push(tfjs.getBackend());
      expect(await engine.download(result!)).toEqual(Float32Array.of(2, 3));
    }
    expect(used).toEqual(['wasm', 'cpu', 'wasm', 'cpu']);
    await wasm.close();
    await cpu.close();
  });

  test('refuses int64 values beyond 32 bits', async () => {
    const engine = await startTfjsEngine({ backend: 'cpu' });
    expect(() => engine.upload(BigInt64Array.of(1n, 2n ** 31n), [2], 'int64')).toThrow(
      /expected int64 values that fit 32 bits.*received 2147483648/,
    );
    await engine.close();
  });

  test('wraps uint8 around', async () => {
    const engine = await startTfjsEngine({ backend: 'wasm' });
    const a = tensor(Uint8Array.of(200, 3));
    const program = await engine.compile(buildGraph([add(a, a), mul(a, a)], [], () => ({ kind: 'constant' })).graph);
    const results = await Promise.all((await engine.run(program, [])).map((each) => engine.download(each)));
    expect(results).toEqual([Uint8Array.of(144, 6), Uint8Array.of(64, 9)]);
    await engine.close();
  });

  test('says how to install what is missing', async () => {
    const failure = await startTfjsEngine({ backend: 'tensorflow' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EngineError);
    expect((failure as EngineError).expected).toBe('the package @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node');
    expect((failure as EngineError).message).toContain('npm install @tensorflow/tfjs-node');
  });

  test('names the backends there are', async () => {
    await expect(startTfjsEngine({ backend: 'webgl' as 'wasm' })).rejects.toThrow(
      new ConfigError({
        operation: 'tfjs engine: start',
        expected: 'backend to be one of wasm, cpu, tensorflow',
        received: '"webgl"',
      }),
    );
  });

  test('keeps quiet about other packages', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const engine = await startTfjsEngine({ backend: 'cpu' });
    engine.upload(Float32Array.of(1), [1], 'float32');
    expect(warned).not.toHaveBeenCalled();
    expect(tfjs.env().getBool('PROD')).toBe(false);
    await engine.close();
  });
});
