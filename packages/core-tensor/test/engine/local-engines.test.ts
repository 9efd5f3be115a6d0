import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildGraph } from '../../src/engine/build-graph.js';
import type { Engine, Program } from '../../src/engine/engine.js';
import { startReferenceEngine } from '../../src/engine/reference/reference-engine.js';
import { startTfjsEngine } from '../../src/engine/tfjs/tfjs-engine.js';
import { EngineError } from '../../src/errors.js';
import { add, gather, matmul, mul, type Shape, sub, Tensor, tensor } from '../../src/index.js';

const engines: readonly (readonly [string, () => Promise<Engine>])[] = [
  ['reference', () => startReferenceEngine()],
  ['tfjs on wasm', () => startTfjsEngine({ backend: 'wasm' })],
  ['tfjs on cpu', () => startTfjsEngine({ backend: 'cpu' })],
];

function input(shape: Shape): Tensor {
  return new Tensor(shape, 'float32', { kind: 'input' });
}

function compile(engine: Engine, inputs: readonly Tensor[], outputs: readonly Tensor[]): Promise<Program> {
  return engine.compile(buildGraph(outputs, inputs, () => ({ kind: 'constant' })).graph);
}

describe.each(engines)('an engine in the calling thread: %s', (_name, start) => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await start();
  });
  afterAll(async () => {
    await engine.close();
  });

  test('keeps what was uploaded when the array changes afterwards', async () => {
    const data = Float32Array.of(1, 2);
    const buffer = engine.upload(data, [2], 'float32');
    data.fill(9);
    const read = await engine.download(buffer);
    expect(read).toEqual(Float32Array.of(1, 2));
    read.fill(7 as never);
    expect(await engine.download(buffer)).toEqual(Float32Array.of(1, 2));
  });

  test('returns several results, also an input and one result twice', async () => {
    const [a, b] = [input([2]), input([2])];
    const sum = add(a, b);
    const program = await compile(engine, [a, b], [sum, a, sum]);
    const buffers = [
      engine.upload(Float32Array.of(1, 2), [2], 'float32'),
      engine.upload(Float32Array.of(10, 20), [2], 'float32'),
    ];
    const results = await engine.run(program, buffers);
    for (const buffer of buffers) engine.free(buffer);
    engine.free(results[0]!);
    expect(await engine.download(results[1]!)).toEqual(Float32Array.of(1, 2));
    expect(await engine.download(results[2]!)).toEqual(Float32Array.of(11, 22));
  });

  test('writes over an input in place', async () => {
    const [weight, gradient] = [input([3]), input([3])];
    const program = await compile(engine, [weight, gradient], [sub(weight, mul(gradient, 0.5))]);
    const held = engine.upload(Float32Array.of(1, 2, 3), [3], 'float32');
    const step = engine.upload(Float32Array.of(2, 2, 4), [3], 'float32');
    const [result] = await engine.run(program, [held, step], [held]);
    expect(result).toBe(held);
    expect(await engine.download(held)).toEqual(Float32Array.of(0, 1, 1));
    await engine.run(program, [held, step], [held]);
    expect(await engine.download(held)).toEqual(Float32Array.of(-1, 0, -1));
  });

  test('reads resident buffers when it runs', async () => {
    const weight = engine.upload(Float32Array.of(1, 0, 0, 2), [2, 2], 'float32');
    const x = input([1, 2]);
    const leaf = new Tensor([2, 2], 'float32', { kind: 'parameter' });
    const { graph } = buildGraph([matmul(x, leaf)], [x], (each) =>
      each === leaf ? { kind: 'resident', buffer: weight, version: 0 } : { kind: 'constant' },
    );
    const program = await engine.compile(graph);
    const [result] = await engine.run(program, [engine.upload(Float32Array.of(3, 4), [1, 2], 'float32')]);
    expect(await engine.download(result!)).toEqual(Float32Array.of(3, 8));
  });

  test('takes calls in the order in which they are made', async () => {
    const x = input([2]);
    const program = await compile(engine, [x], [add(x, 1)]);
    const buffer = engine.upload(Float32Array.of(1, 2), [2], 'float32');
    const before = engine.download(buffer);
    const run = engine.run(program, [buffer], [buffer]);
    const after = engine.download(buffer);
    engine.free(buffer);
    await run;
    expect([await before, await after]).toEqual([Float32Array.of(1, 2), Float32Array.of(2, 3)]);
  });

  test('refuses buffers it does not hold, inputs of other shapes and released programs', async () => {
    const x = input([2]);
    const program = await compile(engine, [x], [add(x, 1)]);
    const good = engine.upload(Float32Array.of(1, 2), [2], 'float32');
    const wide = engine.upload(Float32Array.of(1, 2, 3), [3], 'float32');
    const gone = engine.upload(Float32Array.of(1, 2), [2], 'float32');
    engine.free(gone);
    await expect(engine.run(program, [gone])).rejects.toThrow(/run: expected a buffer that this engine holds/);
    await expect(engine.download(gone)).rejects.toThrow(EngineError);
    await expect(engine.run(program, [wide])).rejects.toThrow('expected float32 [2] as input 0, received float32 [3]');
    await expect(engine.run(program, [])).rejects.toThrow('expected 1 inputs, received 0');
    await expect(engine.run(program, [good], [wide])).rejects.toThrow(
      'expected a buffer of float32 [2] for output 0, received float32 [3]',
    );
    expect(() => engine.upload(Float32Array.of(1), [2], 'float32')).toThrow(
      'expected 2 values for shape [2], received 1 values',
    );
    engine.release(program);
    await expect(engine.run(program, [good])).rejects.toThrow(/a program that this engine compiled and still holds/);
  });

  test('refuses indices out of range, and goes on working', async () => {
    const x = input([3]);
    const program = await compile(engine, [x], [gather(x, Int32Array.of(0, 3))]);
    const buffer = engine.upload(Float32Array.of(1, 2, 3), [3], 'float32');
    await expect(engine.run(program, [buffer])).rejects.toThrow('gather: expected indices between 0 and 2, received 3');
    expect(await engine.download(buffer)).toEqual(Float32Array.of(1, 2, 3));
  });

  test('refuses everything once it is closed', async () => {
    const closed = await start();
    const buffer = closed.upload(Float32Array.of(1), [1], 'float32');
    await closed.close();
    await closed.close();
    expect(() => closed.upload(Float32Array.of(1), [1], 'float32')).toThrow(
      /expected a running engine, received one that was closed/,
    );
    await expect(closed.download(buffer)).rejects.toThrow(EngineError);
    await expect(closed.compile({ nodes: [], inputCount: 0, outputs: [] })).rejects.toThrow(EngineError);
  });

  test('holds every dtype', async () => {
    const held = [
      ['float32', Float32Array.of(1.5, -Infinity)],
      ['float16', Uint16Array.of(0x3c00, 0xfc00)],
      ['bfloat16', Uint16Array.of(0x3f80, 0xc000)],
      ['int64', BigInt64Array.of(-3n, 2147483647n)],
      ['int32', Int32Array.of(-3, 2147483647)],
      ['uint8', Uint8Array.of(0, 255)],
      ['bool', Uint8Array.of(0, 1)],
    ] as const;
    for (const [dtype, data] of held) {
      expect(await engine.download(engine.upload(data, [2], dtype)), dtype).toEqual(data);
    }
  });
});

describe('the reference engine', () => {
  test('keeps doubles only where it is told to', async () => {
    const exact = await startReferenceEngine({ float64: true });
    const rounding = await startReferenceEngine();
    const data = Float64Array.of(0.1, 1e-300);
    expect(await exact.download(exact.upload(data, [2], 'float32'))).toEqual(data);
    expect(await rounding.download(rounding.upload(data, [2], 'float32'))).toEqual(Float32Array.of(0.1, 0));
    expect(await rounding.download(rounding.upload(data, [2], 'float16'))).toEqual(Uint16Array.of(0x2e66, 0));
  });

  test('refuses int64 values that a double does not hold', async () => {
    const engine = await startReferenceEngine();
    expect(() => engine.upload(BigInt64Array.of(2n ** 53n), [1], 'int64')).toThrow(
      /expected int64 values between .* received 9007199254740992/,
    );
    const x = new Tensor([1], 'int64', { kind: 'input' });
    const program = await compile(engine, [x], [mul(x, x)]);
    const large = engine.upload(BigInt64Array.of(2n ** 40n), [1], 'int64');
    await expect(engine.run(program, [large])).rejects.toThrow(EngineError);
  });

  test('wraps integers around', async () => {
    const engine = await startReferenceEngine();
    const a = tensor(Int32Array.of(2147483647, 65537));
    const b = tensor(Uint8Array.of(200, 3));
    const program = await engine.compile(
      buildGraph([add(a, 1), mul(a, a), add(b, b)], [], () => ({ kind: 'constant' })).graph,
    );
    const results = await Promise.all((await engine.run(program, [])).map((each) => engine.download(each)));
    expect(results).toEqual([Int32Array.of(-2147483648, 65538), Int32Array.of(1, 131073), Uint8Array.of(144, 6)]);
  });
});
