import { closeEngine, compile, matmul, type Tensor, tensor, useEngine } from '../../src/index.js';

/** Ends, in the way that the argument says, while the engine is inside a long product. */
const size = 1024;
const ends: Readonly<Record<string, () => unknown>> = {
  exit: () => process.exit(3),
  throw: () => {
    throw new Error('thrown while the engine runs');
  },
  close: closeEngine,
};

await useEngine('ort', { threads: 1 });
const power = compile((x: Tensor) => Array.from({ length: 12 }).reduce<Tensor>((y) => matmul(y, x), x));
const x = tensor(new Float32Array(size * size), [size, size]);
await power(x);
power(x).catch(() => undefined);
// The worker has the order by then, and needs several times as long for it.
await new Promise((resolve) => setTimeout(resolve, 50));
await ends[process.argv[2]!]!();
