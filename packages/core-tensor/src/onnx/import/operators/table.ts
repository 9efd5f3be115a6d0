import type { ModelNode } from '../model.js';
import type { Operator } from '../node-context.js';
import { microsoft } from '../read-model.js';
import { activationOperators } from './activation.js';
import { controlOperators } from './control.js';
import { convertOperators } from './convert.js';
import { elementwiseOperators } from './elementwise.js';
import { generateOperators } from './generate.js';
import { indexingOperators } from './indexing.js';
import { microsoftOperators } from './microsoft.js';
import { normalizationOperators } from './normalization.js';
import { poolingOperators } from './pooling.js';
import { productOperators } from './product.js';
import { quantizationOperators } from './quantization.js';
import { reductionOperators } from './reduction.js';
import { resizeOperators } from './resize.js';
import { shapeOperators } from './shape.js';

/** Every operator that is read, by domain and name. */
const operators: Readonly<Record<string, Readonly<Record<string, Operator>>>> = {
  '': {
    ...elementwiseOperators,
    ...activationOperators,
    ...convertOperators,
    ...shapeOperators,
    ...generateOperators,
    ...indexingOperators,
    ...productOperators,
    ...normalizationOperators,
    ...reductionOperators,
    ...poolingOperators,
    ...resizeOperators,
    ...quantizationOperators,
    ...controlOperators,
  },
  [microsoft]: microsoftOperators,
};

/** What records a node; undefined for an operator that is not supported. */
export function operatorOf({ type, domain }: Pick<ModelNode, 'type' | 'domain'>): Operator | undefined {
  const inDomain = Object.hasOwn(operators, domain) ? operators[domain]! : {};
  return Object.hasOwn(inDomain, type) ? inDomain[type] : undefined;
}

/** Names of the operators of a domain. */
export function operatorNames(domain: string): string[] {
  return Object.hasOwn(operators, domain) ? Object.keys(operators[domain]!).sort() : [];
}
