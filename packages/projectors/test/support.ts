import { readFileSync } from 'node:fs';
import { initializers, randomKey, type Tensor, tensor } from '@ocelli/core-tensor';

/** Standard normal numbers of a shape; the same each time. */
export function normalTensor(...shape: number[]): Tensor {
  return tensor(initializers.normal()(shape, randomKey('test')), shape);
}

/** A JSON fixture of this package. */
export function readJsonFixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8'));
}
