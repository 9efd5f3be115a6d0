import { isFloating } from '../dtype.js';
import { CheckpointError, formatShape } from '../errors.js';
import { sameShape } from '../graph/shape.js';
import type { Module } from '../nn/module.js';
import type { TensorInfo } from '../safetensors/format.js';
import { type CompiledKeyMap, compileKeyMap, identityKeyMap, type KeyMap, type WeightLayout } from './key-map.js';
import { nameRanges } from './name-ranges.js';
import { type WeightTarget, type WeightTargets, weightTargets } from './targets.js';

/** A stored tensor and where its values go. */
export interface WeightAssignment {
  readonly key: string;
  readonly parameters: readonly string[];
  readonly targets: readonly WeightTarget[];
  readonly layout: WeightLayout | undefined;
}

/** What does not fit between a checkpoint and a module. */
export interface WeightMismatches {
  /** Parameters without a stored tensor. */
  readonly missing: readonly string[];
  /** Stored tensors without a parameter. */
  readonly unexpected: readonly string[];
  /** `key: [stored shape] instead of [expected shape]` */
  readonly misshapen: readonly string[];
  /** `key: stored dtype instead of expected dtype` */
  readonly mistyped: readonly string[];
  /** Parameters that several stored tensors hold. */
  readonly repeated: readonly string[];
}

/** How a checkpoint fits a module, known without reading a tensor. */
export interface WeightMatch extends WeightMismatches {
  readonly assignments: readonly WeightAssignment[];
  /** Stored tensors that the module has no use for. */
  readonly ignored: readonly string[];
  /** Parameters that the checkpoint may lack, and does. */
  readonly kept: readonly string[];
}

/** Names, dtypes and shapes of stored tensors: of a checkpoint, or made up. */
export interface TensorListing {
  keys(): readonly string[];
  info(key: string): Pick<TensorInfo, 'dtype' | 'shape'>;
}

/** Compares a checkpoint with a module by names, dtypes and shapes. */
export function matchWeights(module: Module, stored: TensorListing, keyMap: KeyMap = identityKeyMap): WeightMatch {
  const map = compileKeyMap(keyMap);
  const { byName, behind } = weightTargets(module);
  const assignments: WeightAssignment[] = [];
  const [ignored, unexpected, misshapen, mistyped]: [string[], string[], string[], string[]] = [[], [], [], []];
  const holders = new Map<string, string[]>();
  for (const key of stored.keys()) {
    if (map.isIgnored(key)) {
      ignored.push(key);
      continue;
    }
    const assignment = assign(key, map, byName);
    if (!assignment) {
      unexpected.push(key);
      continue;
    }
    for (const name of assignment.parameters) holders.set(name, [...(holders.get(name) ?? []), key]);
    const { dtype, shape } = stored.info(key);
    const expected = expectedShape(assignment);
    const type = expectedType(assignment, dtype);
    if (!sameShape(shape, expected))
      misshapen.push(`${key}: ${formatShape(shape)} instead of ${formatShape(expected)}`);
    else if (type) mistyped.push(`${key}: ${dtype} instead of ${type}`);
    else assignments.push(assignment);
  }
  const isHeld = (name: string) => holders.has(name);
  const absent = absentNames(byName, behind, isHeld);
  return {
    assignments,
    ignored,
    kept: absent.filter((name) => map.isOptional(name)),
    missing: absent.filter((name) => !map.isOptional(name)),
    unexpected,
    misshapen,
    mistyped,
    repeated: [...holders].flatMap(([name, keys]) => (keys.length > 1 ? [`${name} (${keys.join(', ')})`] : [])),
  };
}

function assign(
  key: string,
  map: CompiledKeyMap,
  byName: ReadonlyMap<string, WeightTarget>,
): WeightAssignment | undefined {
  for (const { parameters, layout } of map.rolesOf(key)) {
    const targets = parameters.flatMap((name) => byName.get(name) ?? []);
    if (targets.length === parameters.length) return { key, parameters, targets, layout };
  }
  return undefined;
}

function expectedShape({ targets, layout }: WeightAssignment): readonly number[] {
  const shapes = targets.map(({ shape }) => shape);
  return layout ? layout.shape(shapes) : shapes[0]!;
}

/** The dtype that is needed where the stored one does not do. Floats become other floats; integers stay what they are. */
function expectedType({ targets, layout }: WeightAssignment, stored: TensorInfo['dtype']): string | undefined {
  const isFloat = isFloating(stored) && !stored.startsWith('float8');
  for (const target of targets) {
    const wanted = target.kind === 'parameter' ? target.parameter.dtype : 'float32';
    if (layout || isFloating(wanted) ? !isFloat : stored !== wanted) {
      return isFloating(wanted) ? 'a float of 16, 32 or 64 bits' : wanted;
    }
  }
  return undefined;
}

/** Names that no stored tensor gives; a float weight and the parameters behind it give each other. */
function absentNames(
  byName: WeightTargets['byName'],
  behind: WeightTargets['behind'],
  isHeld: (name: string) => boolean,
): string[] {
  const settled = new Set<string>();
  for (const [path, names] of behind) {
    if (isHeld(path)) for (const name of names) settled.add(name);
    // Named by itself where nothing of it is there, by its parts where some are.
    else if (names.some(isHeld)) settled.add(path);
    else for (const name of names) settled.add(name);
  }
  return [...byName.keys()].filter((name) => !isHeld(name) && !settled.has(name));
}

/** A checkpoint that does not fit a module. The message lists everything; so do the fields. */
export class WeightMismatchError extends CheckpointError implements WeightMismatches {
  override readonly name: string = 'WeightMismatchError';
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly misshapen: readonly string[];
  readonly mistyped: readonly string[];
  readonly repeated: readonly string[];

  constructor(operation: string, file: string | undefined, match: WeightMismatches) {
    super({
      operation,
      file,
      expected: 'one tensor per parameter, of its shape and dtype',
      received: describeMismatches(match).join(' | '),
      remedy: 'Check that the checkpoint belongs to this configuration.',
    });
    this.missing = match.missing;
    this.unexpected = match.unexpected;
    this.misshapen = match.misshapen;
    this.mistyped = match.mistyped;
    this.repeated = match.repeated;
  }
}

/** A line for each kind of mismatch there is; none where all fits. Names that differ by a number are written together. */
export function describeMismatches(match: WeightMismatches): string[] {
  const { missing, unexpected, misshapen, mistyped, repeated } = match;
  return [
    ...(missing.length > 0 ? [`missing: ${nameRanges(missing).join(', ')}`] : []),
    ...(unexpected.length > 0 ? [`unexpected: ${nameRanges(unexpected).join(', ')}`] : []),
    ...(misshapen.length > 0 ? [`of another shape: ${nameRanges(misshapen).join('; ')}`] : []),
    ...(mistyped.length > 0 ? [`of another dtype: ${nameRanges(mistyped).join('; ')}`] : []),
    ...(repeated.length > 0 ? [`stored twice: ${nameRanges(repeated).join('; ')}`] : []),
  ];
}
