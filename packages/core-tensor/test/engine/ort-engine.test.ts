import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildGraph } from '../../src/engine/build-graph.js';
import { startOrtEngine } from '../../src/engine/ort/ort-engine.js';
import {
  add,
  cast,
  closeEngine,
  compile,
  currentEngine,
  type Engine,
  EngineError,
  exp,
  gather,
  materialize,
  matmul,
  mul,
  Parameter,
  type Program,
  type Shape,
  softmax,
  sub,
  Tensor,
  tensor,
  useEngine,
} from '../../src/index.js';
import { expectNumbers } from '../support/expect-numbers.js';

const input = (shape: Shape) => new Tensor(shape, 'float32', { kind: 'input' });

function compileOn(engine: Engine, inputs: readonly Tensor[], outputs: readonly Tensor[]): Promise<Program> {
  return engine.compile(buildGraph(outputs, inputs, () => ({ kind: 'constant' })).graph);
}

describe('the ort engine', () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await startOrtEngine({ threads: 1 });
  });
  afterAll(async () => {
    await engine.close();
  });

  const upload = (...values: number[]) => engine.upload(Float32Array.from(values), [values.length], 'float32');

  test('keeps what was uploaded when the array changes afterwards', async () => {
    const data = Float32Array.of(1, 2);
    const buffer = engine.upload(data, [2], 'float32');
    data.fill(9);
    expect(await engine.download(buffer)).toEqual(Float32Array.of(1, 2));
  });

  test('takes views into larger arrays, which stay usable', async () => {
    const whole = Float32Array.from({ length: 1000 }, (_, i) => i);
    const buffer = engine.upload(whole.subarray(10, 13), [3], 'float32');
    const x = input([30]);
    const constant = tensor(whole.subarray(100, 130), [30]);
    const program = await compileOn(engine, [x], [softmax(add(x, constant))]);
    expect(await engine.download(buffer)).toEqual(Float32Array.of(10, 11, 12));
    expect(whole[999]).toBe(999);
    const [result] = await engine.run(program, [engine.upload(new Float32Array(30), [30], 'float32')]);
    const values = Array.from((await engine.download(result!)) as Float32Array);
    expect(values[29]).toBeCloseTo((1 - Math.exp(-1)) / (1 - Math.exp(-30)), 5);
  });

  test('takes calls in the order in which they are made', async () => {
    const x = input([2]);
    const program = await compileOn(engine, [x], [exp(x)]);
    const buffer = upload(0, 0);
    const before = engine.download(buffer);
    const run = engine.run(program, [buffer], [buffer]);
    const after = engine.download(buffer);
    engine.free(buffer);
    await run;
    expect([await before, await after]).toEqual([Float32Array.of(0, 0), Float32Array.of(1, 1)]);
  });

  test.each([3, 70_000])('updates %d elements in place, in one pass or tile by tile', async (size) => {
    const [weight, moment, gradient, rate] = [input([size]), input([size]), input([size]), input([])];
    const nextMoment = add(mul(moment, 0.5), gradient);
    const next = sub(weight, mul(mul(nextMoment, exp(mul(weight, 0))), rate));
    const program = await compileOn(engine, [weight, moment, gradient, rate], [next, nextMoment]);
    const of = (value: number) => engine.upload(new Float32Array(size).fill(value), [size], 'float32');
    const [w, m, g] = [of(1), of(2), of(3)];
    const scalar = engine.upload(Float32Array.of(0.1), [], 'float32');
    const results = await engine.run(program, [w, m, g, scalar], [w, m]);
    expect(results).toEqual([w, m]);
    await engine.run(program, [w, m, g, scalar], [w, m]);
    const [weights, moments] = [await engine.download(w), await engine.download(m)];
    expect(moments[0]).toBeCloseTo(5);
    expect(weights[0]).toBeCloseTo(1 - 0.4 - 0.5);
    expect(new Set(weights as Float32Array).size).toBe(1);
    expect(new Set(moments as Float32Array).size).toBe(1);
    expect(await engine.download(g)).toEqual(new Float32Array(size).fill(3));
  });

  test.each([
    ['fused', (x: Tensor) => x],
    ['not fused', exp],
  ] as const)('writes over inputs that other results still need: %s', async (_name, through) => {
    const [a, b] = [input([4]), input([4])];
    const program = await compileOn(engine, [a, b], [add(a, through(b)), sub(b, through(a)), mul(through(a), b)]);
    const [first, second] = [upload(0, 0, 0, 0), upload(1, 2, 3, 4)];
    const results = await engine.run(program, [first, second], [first, second]);
    const [sums, differences, products] = await Promise.all(results.map((each) => engine.download(each)));
    const of = (v: number) => (through === exp ? Math.exp(v) : v);
    [1, 2, 3, 4].forEach((v, i) => {
      expect(sums![i]).toBeCloseTo(of(v), 4);
      expect(differences![i]).toBeCloseTo(v - of(0), 5);
      expect(products![i]).toBeCloseTo(of(0) * v, 5);
    });
  });

  test('says so where a buffer was freed or a program released', async () => {
    const x = input([2]);
    const program = await compileOn(engine, [x], [exp(x)]);
    const [kept, gone] = [upload(1, 2), upload(1, 2)];
    engine.free(gone);
    await expect(engine.download(gone)).rejects.toThrow(EngineError);
    await expect(engine.download(gone)).rejects.toThrow(/ort engine: download: .* was freed before it was used/);
    await expect(engine.run(program, [gone])).rejects.toThrow(/was freed before it was used/);
    engine.release(program);
    await expect(engine.run(program, [kept])).rejects.toThrow(/was released before it was run/);
    expect(await engine.download(kept)).toEqual(Float32Array.of(1, 2));
  });

  test('refuses a target of another shape or dtype', async () => {
    const x = input([2]);
    const program = await compileOn(engine, [x], [exp(x)]);
    const wide = upload(1, 2, 3);
    await expect(engine.run(program, [upload(1, 2)], [wide])).rejects.toThrow(
      'ort engine: run: expected a buffer of float32 [2] for output 0, received float32 [3].',
    );
    const whole = engine.upload(Int32Array.of(1, 2), [2], 'int32');
    await expect(engine.run(program, [upload(1, 2)], [whole])).rejects.toThrow(/received int32 \[2\]/);
    expect(await engine.download(wide)).toEqual(Float32Array.of(1, 2, 3));
  });

  test('goes on after an error while running', async () => {
    const x = input([3]);
    const program = await compileOn(engine, [x], [gather(x, Int32Array.of(0, 7))]);
    const buffer = upload(1, 2, 3);
    await expect(engine.run(program, [buffer])).rejects.toThrow(
      /ort engine: run: expected onnxruntime to succeed, received .*indices/,
    );
    expect(await engine.download(buffer)).toEqual(Float32Array.of(1, 2, 3));
  });

  test('names what it cannot compute, with a remedy', async () => {
    const x = input([2, 2]);
    const half = cast(x, 'bfloat16');
    await expect(compileOn(engine, [x], [cast(matmul(half, half), 'float32')])).rejects.toThrow(
      /^ort engine: compile: expected operations that onnxruntime has for their dtypes, received .*MatMul.*\. Compute in float32/,
    );
  });

  test('refuses everything once it is closed', async () => {
    const closed = await startOrtEngine({ threads: 1 });
    const buffer = closed.upload(Float32Array.of(1), [1], 'float32');
    await closed.close();
    await closed.close();
    await expect(closed.download(buffer)).rejects.toThrow(
      /ort engine: expected its worker thread to run, received it was closed/,
    );
  });
});

describe('an ort engine whose worker dies', () => {
  afterAll(async () => {
    await closeEngine();
  });

  const workerOf = (engine: Engine) => (engine as unknown as { readonly worker: Worker }).worker;

  test('fails what it was doing, and the next use starts another', async () => {
    const first = await useEngine('ort', { threads: 1 });
    const square = compile((x: Tensor) => matmul(x, x));
    await expectNumbers(await square(tensor([[2]])), [4]);
    const held = mul(tensor([1, 2]), 2);
    await materialize([held]);
    const weight = new Parameter([1]);
    weight.set(Float32Array.of(3));
    await weight.data();

    const x = input([2]);
    const program = await compileOn(first, [x], [softmax(x)]);
    const running = first.run(program, [first.upload(Float32Array.of(1, 2), [2], 'float32')]);
    // No message of the engine: the worker ends with an uncaught error, while the run is under way.
    workerOf(first).postMessage(null);
    await expect(running).rejects.toThrow(EngineError);
    await expect(running).rejects.toThrow(
      /^ort engine: expected its worker thread to run, received .*\. The next use starts another engine; restore parameters from the last checkpoint\.$/,
    );

    const second = await currentEngine();
    expect(second.name).toBe('ort');
    expect(second).not.toBe(first);
    await expectNumbers(await square(tensor([[3]])), [9]);
    await expect(held.data()).rejects.toThrow(EngineError);
    await expect(mul(weight, 2).data()).rejects.toThrow(EngineError);
    weight.set(Float32Array.of(4));
    await expectNumbers(mul(weight, 2), [8]);
  });

  test('while it has nothing to do fails the next call only', async () => {
    const first = await useEngine('ort', { threads: 1 });
    await expectNumbers(mul(tensor([1, 2]), 2), [2, 4]);
    await workerOf(first).terminate();
    await expect(first.compile({ nodes: [], inputCount: 0, outputs: [] })).rejects.toThrow(
      /received it exited with code 1/,
    );
    await expectNumbers(mul(tensor([1, 2]), 3), [3, 6]);
  });
});

/** Runs a program that is inside the runtime when it ends; returns how. */
async function endOfProcess(how: 'exit' | 'throw' | 'close'): Promise<{ code: number; stderr: string }> {
  const child = fileURLToPath(new URL('./end-while-running.child.ts', import.meta.url));
  const repository = fileURLToPath(new URL('../../../..', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', child, how], { cwd: repository }, (error, _stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stderr });
    });
  });
}

// Stopping a thread inside the runtime aborts the process; these ends have to wait for it.
test.each([
  ['exit', 3, /^$/],
  ['throw', 1, /Error: thrown while the engine runs/],
  ['close', 0, /^$/],
] as const)('a process may %s while the engine runs', async (how, expected, output) => {
  const { code, stderr } = await endOfProcess(how);
  expect(stderr).toMatch(output);
  expect(stderr).not.toMatch(/terminate called/);
  expect(code).toBe(expected);
});

// A request that nobody waits for any more must not keep the process alive.
test.each([
  ['unsent', 'DataCloneError'],
  ['unanswered', 'EngineError'],
] as const)('a process ends by itself after a request that was %s', async (how, name) => {
  const child = fileURLToPath(new URL('./end-after-failure.child.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child, how], {
    cwd: fileURLToPath(new URL('../../../..', import.meta.url)),
    timeout: 60_000,
  });
  expect(stdout).toBe(`${name}\n`);
});
