import { mostVectorRows, type VectorLayer, vectorLayers } from '../codegen/vector-layers.js';
import type { MatmulStep, Step } from './program-plan.js';
import { writtenBy } from './step-values.js';
import type { Values } from './values.js';
import { bindLaunches } from './write-launches.js';

/**
 * Steps in which products of the same few rows are one launch, at the place of the first: the queries, keys and values of one
 * token, say. Such products take as long as their weights take to be read, and a launch of its own for each adds to that.
 */
export function joinVectorProducts(steps: readonly Step[], values: Values): Step[] {
  const writtenAt = new Map<number, number>();
  steps.forEach((step, time) => {
    for (const value of writtenBy(step)) writtenAt.set(value, time);
  });
  const taken = new Set<Step>();
  return steps.flatMap((step, time) => {
    if (taken.has(step)) return [];
    if (!isVectorProduct(step)) return [step];
    const joined = steps.slice(time).filter((other): other is MatmulStep => {
      if (!isVectorProduct(other) || taken.has(other)) return false;
      const isKnown = [other.b.value, other.bias, other.residual].every(
        (value) => (writtenAt.get(value ?? -1) ?? -1) < time,
      );
      return other.a.value === step.a.value && other.m === step.m && other.k === step.k && (other === step || isKnown);
    });
    for (const each of joined) taken.add(each);
    return launchesOf(joined, values);
  });
}

/** Whether few rows are multiplied with a weight [n, k] as it lies in memory. */
function isVectorProduct(step: Step): step is MatmulStep {
  if (step.kind !== 'matmul') return false;
  const { a, b, out, m, n, k, batch, alpha, activation } = step;
  const isPlain = batch === 1 && alpha === 1 && activation === undefined;
  const isWhole = a.offset === 0 && b.offset === 0 && out.offset === 0 && out.rowStride === n;
  const areRows = !a.transpose && a.rowStride === k && b.transpose && b.rowStride === k;
  // Rows are read eight elements at a time.
  return isPlain && isWhole && areRows && m <= mostVectorRows && k % 8 === 0;
}

function launchesOf(products: readonly MatmulStep[], values: Values): Step[] {
  const [{ a, m, k }] = products as [MatmulStep];
  const layers = products.map(
    ({ b, n, bias, residual, out }): VectorLayer => ({
      outputs: n,
      weight: values.dtype(b.value),
      out: values.dtype(out.value),
      ...(bias === undefined ? {} : { bias: values.dtype(bias) }),
      ...(residual === undefined ? {} : { residual: values.dtype(residual) }),
    }),
  );
  const inputs = products.flatMap(({ b, bias, residual }) =>
    [b.value, bias, residual].filter((each) => each !== undefined),
  );
  const outputs = products.map(({ out }) => out.value);
  const lowered = vectorLayers({ rows: m, width: k, dtype: values.dtype(a.value), layers });
  return bindLaunches(lowered, { inputs: [a.value, ...inputs], outputs }, values);
}
