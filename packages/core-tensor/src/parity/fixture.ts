import { readFile } from 'node:fs/promises';
import { type AnyTypedArray, convert, type DType, isDType } from '../dtype.js';
import { CheckpointError } from '../errors.js';
import type { Shape } from '../graph/shape.js';
import { parseSafetensors } from '../safetensors/memory.js';
import { type Tensor, tensor } from '../tensor.js';

/** A tensor of a fixture. */
export interface FixtureTensor {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: AnyTypedArray;
}

/**
 * Numbers of a published implementation: inputs, weights, outputs and gradients under random cotangents. Tensors are
 * named `param.KEY`, `in.NAME`, `out.NAME`, `cot.NAME`, `grad.KEY`, `gradin.NAME`.
 */
export interface Fixture {
  /** Path of the file, for messages and for files beside it. */
  readonly file: string;
  /** Family, `area/name`: decides what is compared. */
  readonly kind: string;
  /** The configuration behind the numbers; of a JSON fixture, the whole file. */
  readonly config: unknown;
  readonly tensors: ReadonlyMap<string, FixtureTensor>;
}

/**
 * Reads a fixture file, `.safetensors` or `.json`.
 *
 * @throws CheckpointError if it is neither, or has no kind.
 */
export async function readFixture(file: string): Promise<Fixture> {
  const bytes = await readFile(file);
  if (file.endsWith('.json')) {
    const config = JSON.parse(bytes.toString('utf8')) as { kind?: string };
    return { file, kind: requireKind(file, config.kind), config, tensors: new Map() };
  }
  const parsed = parseSafetensors(bytes);
  const tensors = new Map<string, FixtureTensor>();
  for (const [name, { dtype, shape, data }] of parsed.tensors) {
    // Types that tensors do not compute with count as float32.
    const isKnown = isDType(dtype);
    tensors.set(name, {
      shape,
      dtype: isKnown ? dtype : 'float32',
      data: isKnown ? data : convert(data as Float64Array, dtype as 'float64', 'float32'),
    });
  }
  const config = JSON.parse(parsed.metadata.config ?? 'null') as unknown;
  return { file, kind: requireKind(file, parsed.metadata.kind), config, tensors };
}

function requireKind(file: string, kind: string | undefined): string {
  if (!kind) {
    throw new CheckpointError({
      operation: 'read fixture',
      file,
      expected: 'a kind such as "backbones/ops_conv"',
      received: 'none',
    });
  }
  return kind;
}

/** Names and tensors under a prefix such as `param` (optionally of one case: `param.CASE`), without the prefix. */
export function fixtureTensors(fixture: Fixture, prefix: string): Record<string, FixtureTensor> {
  const start = `${prefix}.`;
  return Object.fromEntries(
    [...fixture.tensors].flatMap(([name, value]) =>
      name.startsWith(start) ? [[name.slice(start.length), value]] : [],
    ),
  );
}

/** A fixture's values as a tensor to compute with. */
export function toTensor({ data, shape, dtype }: FixtureTensor): Tensor {
  return tensor(data, shape, dtype);
}
