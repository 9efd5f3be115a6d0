import { closeEngine, materialize, Parameter, type Tensor, zeros } from '@ocelli/core-tensor';
import { AdamW } from '../src/index.js';

/**
 * AdamW on 16M parameters against the time of moving its bytes: parameter, gradient and two moments are read, three of
 * them written, at the speed at which this process copies an array. Both sides are measured in turn.
 */
const count = 16 * 2 ** 20;
const rounds = 15;
const target = 2.5;
const arraysMoved = 7;

/** A copy reads one array and writes one. */
const arraysOfCopy = 2;

/** Sizes of the parameters of a small transformer, repeated until there are `count` elements. */
function shapes(): number[][] {
  const layer = [[1024, 1024], [1024, 1024], [4096, 1024], [1024, 4096], [1024], [4096], [1024]];
  const list: number[][] = [];
  for (let left = count, i = 0; left > 0; i++) {
    const shape = layer[i % layer.length]!;
    const size = shape.reduce((product, each) => product * each, 1);
    list.push(size <= left ? shape : [left]);
    left -= Math.min(size, left);
  }
  return list;
}

const parameters = Object.fromEntries(shapes().map((shape, index) => [`weight${index}`, new Parameter(shape)]));
const optimizer = new AdamW([{ parameters, weightDecay: 0.1 }]);

async function freshGradients(): Promise<Record<string, Tensor>> {
  const grads = Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, zeros(shape)]));
  await materialize(Object.values(grads));
  return grads;
}

const source = new Float32Array(count).fill(1);
const destination = new Float32Array(count);
const updates: number[] = [];
const copies: number[] = [];
for (let round = 0; round < rounds; round++) {
  const grads = await freshGradients();
  let start = performance.now();
  await (await optimizer.update(grads, { learningRate: 1e-3 })).done;
  updates.push(performance.now() - start);
  start = performance.now();
  destination.set(source);
  copies.push(performance.now() - start);
}
await closeEngine();

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

const moving = (median(copies) * arraysMoved) / arraysOfCopy;
const ratio = median(updates) / moving;
console.log(
  JSON.stringify({
    name: 'adamw-update',
    ratio: Number(ratio.toFixed(3)),
    target,
    holds: ratio <= target,
    updateMilliseconds: Number(median(updates).toFixed(2)),
    movingMilliseconds: Number(moving.toFixed(2)),
    parameters: Object.keys(parameters).length,
  }),
);
