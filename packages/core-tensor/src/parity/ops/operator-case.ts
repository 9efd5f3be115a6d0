import { OcelliError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { compareWithFixture, type ParityCheck, type ParityResult, worstOf } from '../compare.js';
import { type Fixture, type FixtureTensor, fixtureTensors, toTensor } from '../fixture.js';

/** Arguments of an operator as a fixture states them; the names are PyTorch's. */
export type OperatorArguments = Readonly<Record<string, unknown>>;

/** One call of an operator. */
export interface OperatorCase {
  readonly arguments: OperatorArguments;
  /** `in.CASE.NAME`, by NAME. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** `param.CASE.KEY`, by KEY. */
  readonly parameters: Readonly<Record<string, Tensor>>;
}

/** Computes a case: its output, or its outputs by name. */
export type OperatorRule = (operatorCase: OperatorCase) => Tensor | Readonly<Record<string, Tensor>>;

/** Rules by the operator's name in the fixtures. */
export type OperatorTable = Readonly<Record<string, OperatorRule>>;

/** A fixture whose configuration is not one that a check understands. */
export class FixtureError extends OcelliError {
  override readonly name: string = 'FixtureError';
}

/** A check of fixtures that hold many calls of operators: `config.cases`, tensors named `in.CASE.x`. */
export function operatorCheck(table: OperatorTable): ParityCheck {
  return async (fixture) => {
    const cases = Object.entries((fixture.config as { cases?: Record<string, OperatorArguments> } | null)?.cases ?? {});
    if (cases.length === 0) {
      throw new FixtureError({
        operation: `check ${fixture.file}`,
        expected: 'at least one case in config.cases',
        received: 'none',
      });
    }
    const results: ParityResult[] = [];
    for (const [name, given] of cases) results.push(await checkCase(fixture, name, given, table));
    return worstOf(results);
  };
}

async function checkCase(
  fixture: Fixture,
  name: string,
  given: OperatorArguments,
  table: OperatorTable,
): Promise<ParityResult> {
  const rule = table[String(given.op)];
  if (!rule) return { forward: 0, gradient: 0, mismatches: [`${name}: no operator ${JSON.stringify(given.op)}`] };
  const inputs = tensorsOf(fixtureTensors(fixture, `in.${name}`));
  const parameters = tensorsOf(fixtureTensors(fixture, `param.${name}`));
  const computed = rule({ arguments: given, inputs, parameters });
  const outputs = isNamed(computed) ? computed : { y: computed };
  const result = await compareWithFixture(fixture, { outputs, inputs, parameters }, name);
  return { ...result, mismatches: result.mismatches.map((mismatch) => `${name}: ${mismatch}`) };
}

function isNamed(computed: ReturnType<OperatorRule>): computed is Readonly<Record<string, Tensor>> {
  return Object.getPrototypeOf(computed) === Object.prototype;
}

function tensorsOf(record: Readonly<Record<string, FixtureTensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, toTensor(value)]));
}

/** The names a table knows under other names: PyTorch's arguments as our options. Absent ones stay absent. */
export function renamed<Options>(
  given: OperatorArguments,
  names: Readonly<Record<string, keyof Options & string>>,
): Options {
  const present = Object.entries(names).filter(([theirs]) => given[theirs] !== undefined);
  return Object.fromEntries(present.map(([theirs, ours]) => [ours, given[theirs]])) as Options;
}

/** A tensor that the operator cannot do without. */
export function required(tensors: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const found = tensors[name];
  if (!found) {
    throw new FixtureError({
      operation: 'check operator',
      expected: `a tensor named ${name}`,
      received: Object.keys(tensors).join(', ') || 'none',
    });
  }
  return found;
}
