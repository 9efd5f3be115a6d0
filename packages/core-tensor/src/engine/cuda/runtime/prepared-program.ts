import { byteSize } from '../../../dtype.js';
import { sizeOf } from '../../../graph/shape.js';
import type { KernelStep, PlannedValue, ProgramPlan, Step } from '../compiler/program-plan.js';
import type { Driver } from '../libraries/driver.js';
import type { Address, Native } from '../libraries/native.js';
import { type AliasTable, aliasTable } from './aliasing.js';
import type { Block, CachingAllocator } from './allocator.js';
import type { Arena } from './arena.js';
import type { FailureLog } from './failure-log.js';
import { createGraphCache } from './graph-cache.js';
import type { KernelCompiler } from './kernel-compiler.js';
import { createLaunchArguments } from './launch-arguments.js';
import type { Products } from './products.js';
import type { SharedValues } from './shared-values.js';
import type { Staging } from './staging.js';
import type { Timeline } from './timeline.js';

/** What programs run on. */
export interface ProgramSurroundings {
  readonly driver: Driver;
  readonly native: Native;
  /** What programs are put on. */
  readonly compute: Timeline;
  readonly allocator: CachingAllocator;
  readonly staging: Staging;
  readonly compiler: KernelCompiler;
  readonly products: Products;
  readonly arena: Arena;
  /** Address of the failure word, and what becomes of it. */
  readonly failure: Address;
  readonly failures: FailureLog;
  readonly shared: SharedValues;
  /** Whether programs are recorded and replayed. */
  readonly graphs: boolean;
  /** Where a buffer is that a program takes as a constant. */
  resident(id: number): Address;
}

/** A copy from one place of the card to another. */
export interface Copy {
  readonly from: Address;
  readonly to: Address;
  readonly bytes: number;
}

/** A program that only waits for its arguments. */
export interface PreparedProgram {
  /** Where each result is, so that one which is no value of its own can be copied. */
  readonly results: readonly ResultSource[];
  /** Whether a kernel may find an index out of range. */
  readonly mayFail: boolean;
  readonly aliases: AliasTable;
  /** Bytes of constants and of what was prepared from them. */
  readonly heldBytes: number;
  /**
   * Puts the program on the stream.
   *
   * @param outputs memory for each result; results that are no values of their own are left to `copies`.
   * @param copies made after everything else, in order.
   */
  submit(inputs: readonly Address[], outputs: readonly Address[], copies: readonly Copy[]): void;
  /** Address of a result's value, given those of the arguments. */
  addressOf(result: number, inputs: readonly Address[], outputs: readonly Address[]): Address;
  release(): void;
}

/** How a result comes about. */
export interface ResultSource {
  /** Its value is written where the result is to be. */
  readonly isOwn: boolean;
  readonly bytes: number;
}

/** A step that knows its kernel. */
type ReadyStep = (addresses: Float64Array) => void;

/** Fewer steps than this gain nothing from being replayed as a graph. */
const leastRecorded = 3;
const alignment = 256;

/**
 * Makes a plan ready to run: compiles its kernels, uploads its constants and computes what follows from constants.
 *
 * @throws CudaError for kernels that do not compile or products without an algorithm, CudaMemoryError where the card has
 *   not enough memory.
 */
export async function prepareProgram(around: ProgramSurroundings, plan: ProgramPlan): Promise<PreparedProgram> {
  const { driver, allocator, staging, compute, arena } = around;
  const { values } = plan;
  const sharing = plan.preparation.filter((step): step is KernelStep => isShared(step, values));
  const ready = await allReady([
    readySteps(around, sharing, values),
    readySteps(
      around,
      plan.preparation.filter((step) => !isShared(step, values)),
      values,
    ),
    readySteps(around, plan.steps, values),
  ]);
  const [shared, preparation, steps] = ready as [ReadySteps, ReadySteps, ReadySteps];
  const heldKeys: string[] = [];
  const offsets = new Map<number, number>();
  let heldBytes = 0;
  values.forEach((value, index) => {
    if (value.place.kind !== 'constant' && value.place.kind !== 'prepared') return;
    offsets.set(index, heldBytes);
    heldBytes += Math.ceil(bytesOf(value) / alignment) * alignment;
  });
  let held: Block | undefined;
  /** Addresses of the values, and behind them that of the failure word. */
  const addresses = new Float64Array(values.length + 1);
  addresses[values.length] = around.failure;
  const bind = (inputs: readonly Address[], outputs: readonly Address[], base: Address) => {
    values.forEach(({ place }, index) => {
      if (place.kind === 'input') addresses[index] = inputs[place.position]!;
      else if (place.kind === 'output') addresses[index] = outputs[place.index]!;
      else if (place.kind === 'arena') addresses[index] = base + place.offset;
    });
  };
  const release = () => {
    if (held) allocator.give(held);
    for (const key of heldKeys.splice(0)) around.shared.drop(key);
    for (const each of ready) each.free();
  };
  try {
    if (heldBytes > 0) held = allocator.take("take memory for a program's constants", heldBytes);
    values.forEach(({ place }, index) => {
      if (place.kind === 'resident') addresses[index] = around.resident(place.buffer);
      const offset = offsets.get(index);
      if (offset === undefined) return;
      addresses[index] = held!.address + offset;
      if (place.kind !== 'constant') return;
      const { buffer, byteOffset, byteLength } = place.data;
      staging.upload(new Uint8Array(buffer, byteOffset, byteLength), addresses[index]);
    });
    bind([], [], arena.reserve(plan.arenaBytes));
    driver.enter();
    const missing = new Set<number>();
    values.forEach((value, index) => {
      if (value.place.kind !== 'shared') return;
      const { address, isNew } = around.shared.hold(value.place.key, bytesOf(value));
      heldKeys.push(value.place.key);
      addresses[index] = address;
      if (isNew) missing.add(index);
    });
    shared.fill(addresses);
    sharing.forEach(({ writes }, index) => {
      if (missing.has(writes[0]!)) shared.steps[index]!(addresses);
    });
    preparation.fill(addresses);
    for (const step of preparation.steps) step(addresses);
    compute.touch();
    if (mayFail(plan.preparation)) await around.failures.check();
  } catch (error) {
    release();
    throw error;
  }

  const graphs =
    around.graphs && plan.steps.length >= leastRecorded ? createGraphCache(driver, compute.stream) : undefined;
  return {
    results: plan.outputs.map((value, index) => {
      const { place } = values[value]!;
      return { isOwn: place.kind === 'output' && place.index === index, bytes: bytesOf(values[value]!) };
    }),
    mayFail: mayFail(plan.steps),
    aliases: aliasTable(plan),
    heldBytes,
    submit(inputs, outputs, copies) {
      const base = arena.reserve(plan.arenaBytes);
      driver.enter();
      const work = () => {
        bind(inputs, outputs, base);
        steps.fill(addresses);
        for (const step of steps.steps) step(addresses);
        for (const { from, to, bytes } of copies) {
          if (bytes > 0 && from !== to) driver.copy(to, from, bytes, compute.stream);
        }
      };
      if (graphs) graphs.submit([base, ...inputs, ...outputs, ...copies.flatMap(({ from, to }) => [from, to])], work);
      else work();
      compute.touch();
    },
    addressOf(result, inputs, outputs) {
      const index = plan.outputs[result]!;
      const { place } = values[index]!;
      if (place.kind === 'input') return inputs[place.position]!;
      if (place.kind === 'output') return outputs[place.index]!;
      return place.kind === 'arena' ? arena.reserve(plan.arenaBytes) + place.offset : addresses[index]!;
    },
    release() {
      graphs?.close();
      release();
    },
  };
}

function mayFail(steps: readonly Step[]): boolean {
  return steps.some((step) => step.kind === 'kernel' && step.arguments.includes('failure'));
}

/** All, or the first failure once none is under way any more. */
async function allReady(parts: readonly Promise<ReadySteps>[]): Promise<ReadySteps[]> {
  const settled = await Promise.allSettled(parts);
  const failed = settled.find(({ status }) => status === 'rejected');
  const ready = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (!failed) return ready;
  for (const each of ready) each.free();
  throw (failed as PromiseRejectedResult).reason;
}

/** Whether a step computes a value that programs share; it is one launch. */
function isShared(step: Step, values: readonly PlannedValue[]): boolean {
  return step.kind === 'kernel' && step.writes.some((value) => values[value]!.place.kind === 'shared');
}

interface ReadySteps {
  readonly steps: readonly ReadyStep[];
  fill(addresses: Float64Array): void;
  free(): void;
}

async function readySteps(
  { driver, native, compute, compiler, products }: ProgramSurroundings,
  planned: readonly Step[],
  values: readonly PlannedValue[],
): Promise<ReadySteps> {
  const launches: KernelStep[] = [];
  const pending: ((pointersOf: (index: number) => Address) => Promise<ReadyStep>)[] = [];
  const { stream } = compute;
  const addKernel = (step: KernelStep) => {
    if (step.grid.some((size) => size === 0)) return;
    const index = launches.push(step) - 1;
    const compiled = compiler.compile(step.kernel);
    // Waited for below; until then nobody may take its failure for one that is forgotten.
    compiled.catch(() => undefined);
    pending.push(async (pointersOf) => {
      const kernel = await compiled;
      if (step.sharedBytes > defaultSharedBytes) driver.allowSharedMemory(kernel, step.sharedBytes);
      const launch = { function: kernel, grid: step.grid, block: step.block, sharedBytes: step.sharedBytes };
      const pointers = pointersOf(index);
      return () => driver.launch(launch, pointers, stream);
    });
  };
  for (const step of planned) {
    if (step.kind === 'kernel') addKernel(step);
    else if (step.kind === 'matmul') {
      const { run, after } = products.prepare(step, values);
      pending.push(async () => run);
      if (after) addKernel(after);
    } else if (step.kind === 'fill') {
      const bytes = bytesOf(values[step.value]!);
      if (bytes === 0) continue;
      pending.push(async () => (addresses) => driver.fill(addresses[step.value]!, step.byte, bytes, stream));
    } else {
      const bytes = bytesOf(values[step.to]!);
      if (bytes === 0) continue;
      pending.push(async () => (addresses) => {
        const [from, to] = [addresses[step.from]!, addresses[step.to]!];
        if (from !== to) driver.copy(to, from, bytes, stream);
      });
    }
  }
  const places = launches.map((step) => step.arguments.map((each) => (each === 'failure' ? values.length : each)));
  const arguments_ = createLaunchArguments(native, places);
  try {
    const steps: ReadyStep[] = [];
    for (const make of pending) steps.push(await make(arguments_.pointersOf));
    return { steps, fill: (addresses) => arguments_.fill(addresses), free: () => arguments_.free() };
  } catch (error) {
    arguments_.free();
    throw error;
  }
}

/** Dynamic shared memory that a kernel may have without asking. */
const defaultSharedBytes = 48 * 1024;

function bytesOf({ shape, dtype }: PlannedValue): number {
  return sizeOf(shape) * byteSize(dtype);
}
