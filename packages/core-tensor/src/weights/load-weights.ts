import type { AnyTypedArray } from '../dtype.js';
import { sizeOf } from '../graph/shape.js';
import type { Module } from '../nn/module.js';
import { type CheckpointReader, openCheckpoint } from '../safetensors/checkpoint.js';
import { allocateTensor } from '../safetensors/read-elements.js';
import type { TensorReader } from '../safetensors/reader.js';
import { noteDryLoad } from './dry-load.js';
import type { KeyMap } from './key-map.js';
import { describeMismatches, matchWeights, type WeightAssignment, WeightMismatchError } from './match-weights.js';
import type { WeightTarget } from './targets.js';

/** How far loading is. */
export interface LoadProgress {
  /** The stored tensor that was read last. */
  readonly key: string;
  readonly tensors: { readonly done: number; readonly total: number };
  /** As stored. */
  readonly bytes: { readonly done: number; readonly total: number };
}

/** Options of {@link loadWeights}. */
export interface LoadWeightsOptions {
  /** What errors call it. Default: `load into` and the module's class. */
  readonly operation?: string;
  /** Default: stored tensors are named like the parameters. */
  readonly keyMap?: KeyMap;
  /** Of a larger checkpoint, take the part whose names begin so; it is taken off them. */
  readonly prefix?: string;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** What was loaded. */
export interface LoadReport {
  /** Stored tensors that were read. */
  readonly tensors: number;
  /** Bytes of these as stored. */
  readonly bytes: number;
  /** Stored tensors that the module has no use for. */
  readonly ignored: readonly string[];
  /** Parameters that keep their first values: the checkpoint lacks them, as the key map allows. */
  readonly kept: readonly string[];
}

/**
 * Loads a checkpoint into a module, tensor by tensor: beside the parameters themselves there is never more in memory
 * than one tensor. Floats of any width become the parameters' dtype.
 *
 * @param checkpoint folder, index or file as {@link openCheckpoint} takes it, or what is open already (and stays open)
 * @throws WeightMismatchError, before anything is read, that lists every missing, unexpected, misshapen and mistyped
 *   name; CheckpointError where a file is missing or damaged: what was read before it is in the module then
 */
export async function loadWeights(
  module: Module,
  checkpoint: string | TensorReader,
  options: LoadWeightsOptions = {},
): Promise<LoadReport> {
  if (typeof checkpoint !== 'string') return loadFrom(module, checkpoint, undefined, options);
  const reader = await openCheckpoint(checkpoint);
  try {
    return await loadFrom(module, reader, checkpoint, options);
  } finally {
    await reader.close();
  }
}

async function loadFrom(
  module: Module,
  reader: TensorReader | CheckpointReader,
  path: string | undefined,
  { operation = `load into ${module.constructor.name}`, keyMap, prefix = '', onProgress }: LoadWeightsOptions,
): Promise<LoadReport> {
  const stored = {
    keys: () => reader.keys().flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : [])),
    info: (key: string) => reader.info(prefix + key),
  };
  const match = matchWeights(module, stored, keyMap);
  if (noteDryLoad({ module, match })) return { tensors: 0, bytes: 0, ignored: match.ignored, kept: match.kept };
  if (describeMismatches(match).length > 0) throw new WeightMismatchError(operation, path, match);
  const total = match.assignments.reduce((sum, { key }) => sum + stored.info(key).byteLength, 0);
  const tensors = { done: 0, total: match.assignments.length };
  const bytes = { done: 0, total };
  for (const group of inGroups(fileByFile(match.assignments, reader, prefix))) {
    const arrays = group.map((assignment) => allocateFor(assignment, path));
    for (const [index, assignment] of group.entries()) {
      const key = prefix + assignment.key;
      await read(reader, key, assignment, arrays[index]);
      tensors.done++;
      bytes.done += reader.info(key).byteLength;
      onProgress?.({ key, tensors: { ...tensors }, bytes: { ...bytes } });
    }
  }
  return { tensors: tensors.total, bytes: total, ignored: match.ignored, kept: match.kept };
}

/** An index lists tensors by name, all over the shards; a disk reads one file after the other faster. */
function fileByFile(
  assignments: readonly WeightAssignment[],
  reader: TensorReader | CheckpointReader,
  prefix: string,
): readonly WeightAssignment[] {
  if (!('fileOf' in reader)) return assignments;
  const places = new Map(reader.files.map((file, place) => [file, place]));
  const placeOf = ({ key }: WeightAssignment) => places.get(reader.fileOf(prefix + key))!;
  return assignments.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** Elements of the parameters that are allocated together, where none is larger by itself. */
const groupElements = 64 * 2 ** 20;

/**
 * A new array may make V8 mark its heap, because memory outside of it has grown. Arrays that are made at once are
 * noticed once, and take no memory before they are written: the loader's own processor time fell to a fifth.
 */
function inGroups(assignments: readonly WeightAssignment[]): WeightAssignment[][] {
  const groups: WeightAssignment[][] = [];
  let elements = Number.POSITIVE_INFINITY;
  for (const assignment of assignments) {
    const own = assignment.targets.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    if (elements + own > groupElements) {
      groups.push([]);
      elements = 0;
    }
    elements += own;
    groups.at(-1)!.push(assignment);
  }
  return groups;
}

/** An array for a tensor that is stored like its parameter. */
function allocateFor({ key, targets, layout }: WeightAssignment, path: string | undefined): AnyTypedArray | undefined {
  const [target] = targets;
  if (layout || target?.kind !== 'parameter') return undefined;
  return allocateTensor(path, key, target.parameter.dtype, sizeOf(target.shape));
}

async function read(
  reader: TensorReader,
  key: string,
  { targets, layout }: WeightAssignment,
  array: AnyTypedArray | undefined,
): Promise<void> {
  const [first] = targets as readonly [WeightTarget];
  if (array && first.kind === 'parameter') {
    await reader.readInto(key, array, { as: first.parameter.dtype });
    give(first, array);
    return;
  }
  const stored = await reader.read(key, { as: 'float32' });
  const shapes = targets.map(({ shape }) => shape);
  const parts = layout ? layout.read(stored, shapes) : [stored];
  for (const [index, target] of targets.entries()) give(target, parts[index]!.data);
}

function give(target: WeightTarget, values: AnyTypedArray): void {
  if (target.kind === 'float weight') target.weight.setFromFloat(values as Float32Array);
  else target.parameter.set(values, { own: true });
}
