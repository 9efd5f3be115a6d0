import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { type AnyTypedArray, allocate, convert, type DType } from '../../dtype.js';
import { EngineError } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import { type Shape, sameShape, sizeOf } from '../../graph/shape.js';
import { type LoweredModel, lower } from '../../onnx/lower.js';
import { encodeModel } from '../../onnx/schema.js';
import type { AbstractTensor } from '../../primitives/primitive.js';
import { philoxUniformInto } from '../../random/philox.js';
import { type FusedKernel, fuseElementwise } from '../wasm/fuse-elementwise.js';
import { writeSlice } from '../write-slice.js';
import { ArrayPool } from './array-pool.js';
import type { OrtOptions } from './options.js';
import type { Request } from './protocol.js';
import { requireProviders } from './providers.js';
import { type SliceUpdate, splitSliceUpdates } from './slice-updates.js';

interface StoredBuffer {
  readonly data: AnyTypedArray;
  readonly shape: Shape;
  readonly dtype: DType;
}

interface StoredProgram {
  /** Computes `results`. */
  readonly code: FusedKernel | StoredSession;
  readonly results: readonly AbstractTensor[];
  /** Which output each of the first results is; the others are parts of slice updates. */
  readonly outputs: readonly number[];
  readonly updates: readonly SliceUpdate[];
}

interface StoredSession extends Omit<LoweredModel, 'model' | 'external'> {
  readonly session: ort.InferenceSession;
}

/** Elements of a tile: three or four arrays of this size stay in a core's second-level cache. */
const tileSize = 65536;

/** What the worker holds: buffers as typed arrays, programs as onnxruntime sessions. */
export class OrtDevice {
  private readonly buffers = new Map<number, StoredBuffer>();
  private readonly programs = new Map<number, StoredProgram>();
  private readonly pool = new ArrayPool();
  private options: OrtOptions = {};

  /** Carries out one request; returns an array where one was asked for. */
  async serve(request: Request): Promise<AnyTypedArray | undefined> {
    switch (request.kind) {
      case 'start':
        this.options = request.options;
        await requireProviders(this.options.executionProviders ?? []);
        return undefined;
      case 'upload':
        this.buffers.set(request.id, stored(request.data, request.shape, request.dtype));
        return undefined;
      case 'download':
        return this.download(request.id);
      case 'compile':
        this.programs.set(request.id, await this.compile(request.graph));
        return undefined;
      case 'run':
        await this.run(request.program, request.inputs, request.outputs, request.overwrites);
        return undefined;
      case 'free':
        for (const id of request.ids) this.free(id);
        return undefined;
      case 'release':
        await this.release(request.id);
        return undefined;
    }
  }

  private buffer(id: number): StoredBuffer {
    const buffer = this.buffers.get(id);
    if (!buffer) throw new Error(`buffer ${id} was freed before it was used`);
    return buffer;
  }

  private free(id: number): void {
    const buffer = this.buffers.get(id);
    this.buffers.delete(id);
    if (buffer) this.pool.give(buffer.data);
  }

  private async release(id: number): Promise<void> {
    const code = this.programs.get(id)?.code;
    this.programs.delete(id);
    if (code && 'session' in code) await code.session.release();
  }

  private download(id: number): AnyTypedArray {
    const { data, dtype } = this.buffer(id);
    return dtype === 'bfloat16' ? convert(data as Float32Array, 'float32', 'bfloat16') : data.slice();
  }

  private async compile(whole: Graph): Promise<StoredProgram> {
    const { graph, outputs, updates } = splitSliceUpdates(whole);
    const results = graph.outputs.map((output) => ({
      shape: graph.nodes[output]!.shape,
      dtype: graph.nodes[output]!.dtype,
    }));
    return { code: fuseElementwise(graph) ?? (await this.createSession(graph)), results, outputs, updates };
  }

  private async createSession(graph: Graph): Promise<StoredSession> {
    const { model: onnx, external, ...model } = lower(graph, { resident: (id) => this.buffer(id).data });
    const session = await create(encodeModel(onnx), {
      executionProviders: [...(this.options.executionProviders ?? ['cpu'])],
      intraOpNumThreads: this.options.threads ?? availableParallelism(),
      graphOptimizationLevel: 'all',
      // Errors are thrown; they need not be printed as well.
      logSeverityLevel: 4,
      // Threads that wait sleep: spinning gains 1% on an idle machine and costs a third of the speed on a busy one.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      externalData: external.map(({ name, data }) => ({ path: name, data })),
    });
    return { ...model, session };
  }

  private async run(
    id: number,
    inputs: readonly number[],
    outputs: readonly number[],
    overwrites: readonly boolean[],
  ): Promise<void> {
    const program = this.programs.get(id);
    if (!program) throw new Error(`program ${id} was released before it was run`);
    const feeds = inputs.map((input) => this.buffer(input));
    const results = program.results.map(({ shape, dtype }, index): StoredBuffer => {
      const output = program.outputs[index];
      if (output !== undefined && overwrites[output]) return this.buffer(outputs[output]!);
      return this.newBuffer(shape, dtype);
    });
    const { code } = program;
    if ('run' in code)
      code.run(
        feeds.map(({ data }) => data),
        results.map(({ data }) => data),
      );
    else if (code.isElementwise) await runTiled(code, feeds, results);
    else await this.runWhole(code, feeds, results);
    // Those that copy their argument go first: another may write over it.
    const inOrder = [...program.updates].sort((a, b) => Number(overwrites[a.output]) - Number(overwrites[b.output]));
    for (const { output, input, update, start, axis } of inOrder) {
      const whole = feeds[input]!;
      const target = overwrites[output] ? this.buffer(outputs[output]!) : this.newBuffer(whole.shape, whole.dtype);
      if (target.data !== whole.data) (target.data as Float32Array).set(whole.data as Float32Array);
      writeSlice('ort engine: updateSlice', target, results[update]!, Number(results[start]!.data[0]), axis);
      this.buffers.set(outputs[output]!, target);
    }
    results.forEach((result, index) => {
      const output = program.outputs[index];
      if (output === undefined) this.pool.give(result.data);
      else this.buffers.set(outputs[output]!, result);
    });
  }

  private newBuffer(shape: Shape, dtype: DType): StoredBuffer {
    return { shape, dtype, data: this.pool.take(hostDType(dtype), sizeOf(shape)) };
  }

  private async runWhole(
    program: StoredSession,
    inputs: readonly StoredBuffer[],
    outputs: readonly StoredBuffer[],
  ): Promise<void> {
    const feeds: Record<string, ort.Tensor> = {};
    program.inputNames.forEach((name, position) => {
      if (name) feeds[name] = asOrt(inputs[position]!);
    });
    const drawn = program.randomInputs.map(({ name, shape, stream, key: place }) => {
      const key = typeof place === 'number' ? (inputs[place]!.data as Int32Array) : place;
      const numbers = this.pool.take('float32', sizeOf(shape)) as Float32Array;
      philoxUniformInto(key[0]! >>> 0, key[1]! >>> 0, stream, numbers);
      feeds[name] = new ort.Tensor('float32', numbers, shape as number[]);
      return numbers;
    });
    const fetches = Object.fromEntries(outputs.map((output, index) => [program.outputNames[index]!, asOrt(output)]));
    await program.session.run(feeds, fetches);
    for (const numbers of drawn) this.pool.give(numbers);
  }
}

async function create(model: Uint8Array, options: ort.InferenceSession.SessionOptions): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(model, options);
  } catch (error) {
    const received = error instanceof Error ? error.message : String(error);
    const isUnknown = received.startsWith('Could not find an implementation');
    throw new EngineError({
      operation: 'ort engine: compile',
      expected: 'operations that onnxruntime has for their dtypes',
      received,
      remedy: isUnknown ? "Compute in float32, with cast(x, 'float32')." : undefined,
    });
  }
}

/** Runs an elementwise program piece by piece, so that intermediate values stay in the cache. */
async function runTiled(
  program: StoredSession,
  inputs: readonly StoredBuffer[],
  outputs: readonly StoredBuffer[],
): Promise<void> {
  const total = outputs[0]!.data.length;
  const part = ({ data, dtype }: StoredBuffer, start: number, end: number): StoredBuffer => ({
    data: data.subarray(start, end) as AnyTypedArray,
    shape: [end - start],
    dtype,
  });
  // An output that is an input too is set aside: the runtime may write it before other results have read the input.
  const aside = outputs.map((output) =>
    inputs.some(({ data }) => data === output.data)
      ? { ...output, data: allocate(hostDType(output.dtype), Math.min(total, tileSize)) }
      : undefined,
  );
  for (let start = 0; start < total; start += tileSize) {
    const end = Math.min(total, start + tileSize);
    const feeds: Record<string, ort.Tensor> = {};
    program.inputNames.forEach((name, position) => {
      const input = inputs[position]!;
      if (name)
        feeds[name] = asOrt(
          sameShape(input.shape, outputs[0]!.shape) ? part(input, start, end) : { ...input, shape: [] },
        );
    });
    const results = outputs.map((output, index) => {
      const place = aside[index];
      return place ? part(place, 0, end - start) : part(output, start, end);
    });
    await program.session.run(
      feeds,
      Object.fromEntries(results.map((result, index) => [program.outputNames[index]!, asOrt(result)])),
    );
    results.forEach((result, index) => {
      if (aside[index]) (outputs[index]!.data as Float32Array).set(result.data as Float32Array, start);
    });
  }
}

/** bfloat16 is held as float32 on this side, since the runtime does not take it in. */
function hostDType(dtype: DType): DType {
  return dtype === 'bfloat16' ? 'float32' : dtype;
}

function stored(data: AnyTypedArray, shape: Shape, dtype: DType): StoredBuffer {
  return { data: dtype === 'bfloat16' ? convert(data as Uint16Array, 'bfloat16', 'float32') : data, shape, dtype };
}

function asOrt({ data, shape, dtype }: StoredBuffer): ort.Tensor {
  return new ort.Tensor(hostDType(dtype) as 'float32', data as Float32Array, shape as number[]);
}
