import { vectorJacobianProduct } from '../autodiff/gradients.js';
import type { AnyTypedArray } from '../dtype.js';
import { materialize } from '../engine/evaluate.js';
import { OcelliError } from '../errors.js';
import { sameShape } from '../graph/shape.js';
import type { Module } from '../nn/module.js';
import type { Tensor } from '../tensor.js';
import { type Fixture, fixtureTensors, toTensor } from './fixture.js';

/** Largest relative errors of a comparison, and what did not agree at all. */
export interface ParityResult {
  /** Largest error of an output. */
  readonly forward: number;
  /** Largest error of a gradient. */
  readonly gradient: number;
  /** Integers, strings, shapes and names that differ, in words. */
  readonly mismatches: readonly string[];
}

/** Errors allowed in float32: relative to the largest element, per tensor. */
export const tolerance = { forward: 1e-4, gradient: 1e-3 } as const;

/** Whether a result is within the tolerance. NaN is not. */
export function passes({ forward, gradient, mismatches }: ParityResult): boolean {
  return forward <= tolerance.forward && gradient <= tolerance.gradient && mismatches.length === 0;
}

/** The worst of several results. */
export function worstOf(results: readonly ParityResult[]): ParityResult {
  return {
    forward: results.reduce((worst, { forward }) => maximum(worst, forward), 0),
    gradient: results.reduce((worst, { gradient }) => maximum(worst, gradient), 0),
    mismatches: results.flatMap(({ mismatches }) => mismatches),
  };
}

/** Like Math.max, and NaN wins. */
function maximum(a: number, b: number): number {
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b);
}

/** A result without numbers: what differs between two plain values, by path. */
export function compareExactly(actual: unknown, expected: unknown, path = ''): ParityResult {
  return { forward: 0, gradient: 0, mismatches: differences(actual, expected, path) };
}

function differences(actual: unknown, expected: unknown, path: string): string[] {
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    return expected.flatMap((each, index) => differences(actual[index], each, `${path}[${index}]`));
  }
  if (isRecord(expected) && isRecord(actual)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...names].flatMap((name) =>
      differences(actual[name], expected[name], path === '' ? name : `${path}.${name}`),
    );
  }
  return Object.is(actual, expected)
    ? []
    : [`${path}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a package computed for a fixture, under the fixture's names. */
export interface Computed {
  /** Compared with `out.NAME`; differentiated where `cot.NAME` exists. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Compared with `grad.KEY`. */
  readonly parameters?: Readonly<Record<string, Tensor>>;
  /** Compared with `gradin.NAME`. */
  readonly inputs?: Readonly<Record<string, Tensor>>;
}

/**
 * Compares outputs, and gradients of Σ⟨output, cotangent⟩, with a fixture.
 *
 * Per tensor the error is ‖ours − reference‖∞ / max(‖reference‖∞, 10⁻³ · the largest ‖·‖∞ of its role in the file);
 * the second term is there because some gradients are zero in exact arithmetic. Integers and masks compare exactly.
 *
 * @param group the case within the file, where tensors are named `out.CASE.NAME`.
 */
export async function compareWithFixture(fixture: Fixture, computed: Computed, group = ''): Promise<ParityResult> {
  const inGroup = (role: string) => fixtureTensors(fixture, group ? `${role}.${group}` : role);
  const cotangents = Object.entries(inGroup('cot'));
  const expectedGradients = { ...prefixed('', inGroup('grad')), ...prefixed('input ', inGroup('gradin')) };
  const leaves = { ...computed.parameters, ...prefixed('input ', computed.inputs ?? {}) };
  const known = Object.entries(leaves).filter(([name]) => name in expectedGradients);
  const differentiated = cotangents.filter(([name]) => computed.outputs[name]);
  const gradients = vectorJacobianProduct(
    differentiated.map(([name]) => computed.outputs[name]!),
    differentiated.map(([, cotangent]) => toTensor(cotangent)),
    known.map(([, leaf]) => leaf),
  );
  const ours = Object.fromEntries(known.map(([name], index) => [name, gradients[index]!]));
  await materialize([...Object.values(computed.outputs), ...gradients]);

  const scaleOf = (...roles: string[]) =>
    Math.max(
      0,
      ...[...fixture.tensors]
        .filter(([name]) => roles.includes(name.split('.')[0]!))
        .map(([, { data }]) => largest(data)),
    );
  const outputs = await compareAll(computed.outputs, inGroup('out'), scaleOf('out'), 'out');
  const grads = await compareAll(ours, expectedGradients, scaleOf('grad', 'gradin'), 'grad');
  return { forward: outputs.error, gradient: grads.error, mismatches: [...outputs.mismatches, ...grads.mismatches] };
}

/**
 * Loads a fixture's `param.KEY` into a module, runs it, and compares everything.
 *
 * @param forward the module's outputs by name, from the fixture's inputs by name.
 */
export async function compareModule<M extends Module>(
  fixture: Fixture,
  module: M,
  forward: (module: M, inputs: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>,
): Promise<ParityResult> {
  module.loadState(fixtureTensors(fixture, 'param'));
  const inputs = Object.fromEntries(
    Object.entries(fixtureTensors(fixture, 'in')).map(([name, value]) => [name, toTensor(value)]),
  );
  return compareWithFixture(fixture, {
    outputs: forward(module, inputs),
    parameters: module.namedParameters(),
    inputs,
  });
}

function prefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [`${prefix}${name}`, value]));
}

async function compareAll(
  ours: Readonly<Record<string, Tensor>>,
  expected: Readonly<Record<string, { shape: readonly number[]; dtype: string; data: AnyTypedArray }>>,
  scale: number,
  role: string,
): Promise<{ error: number; mismatches: string[] }> {
  const mismatches: string[] = [];
  let error = 0;
  for (const [name, reference] of Object.entries(expected)) {
    const tensor = ours[name];
    if (!tensor) mismatches.push(`${role} ${name}: not computed`);
    else if (!sameShape(tensor.shape, reference.shape)) {
      mismatches.push(`${role} ${name}: shape [${tensor.shape.join(', ')}] instead of [${reference.shape.join(', ')}]`);
    } else {
      const data = await tensor.data();
      if (reference.dtype === 'float32') error = maximum(error, relativeError(data, reference.data, scale));
      else if (reference.data.some((value: number | bigint, index: number) => Number(value) !== Number(data[index]))) {
        mismatches.push(`${role} ${name}: integers differ`);
      }
    }
  }
  return { error, mismatches };
}

function largest(data: AnyTypedArray): number {
  let result = 0;
  for (const value of data) if (Number.isFinite(Number(value))) result = Math.max(result, Math.abs(Number(value)));
  return result;
}

function relativeError(ours: AnyTypedArray, reference: AnyTypedArray, scale: number): number {
  let worst = 0;
  for (let index = 0; index < reference.length; index++) {
    const [a, b] = [Number(ours[index]), Number(reference[index])];
    if (!Object.is(a, b)) worst = maximum(worst, Math.abs(a - b));
  }
  return worst === 0 ? 0 : worst / Math.max(largest(reference), 1e-3 * scale, Number.MIN_VALUE);
}

/** A comparison of all fixtures of one kind. */
export type ParityCheck = (fixture: Fixture) => Promise<ParityResult>;

/** The kinds a package answers for. */
export type ParityChecks = Readonly<Record<string, ParityCheck>>;

/** Runs a check; what it throws on purpose counts as a mismatch. */
export async function runParityCheck(check: ParityCheck, fixture: Fixture): Promise<ParityResult> {
  try {
    return await check(fixture);
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    return { forward: 0, gradient: 0, mismatches: [error.message] };
  }
}
