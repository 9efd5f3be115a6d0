import {
  closeEngine,
  compile,
  compileUpdate,
  gelu,
  Linear,
  Module,
  meanSquaredError,
  mul,
  sub,
  type Tensor,
  tensor,
  useEngine,
  valueAndGrad,
} from '../../src/index.js';

/**
 * Trains for 1200 steps without giving back anything by hand, and prints by how many megabytes the process grew
 * after step 400, and the first and last loss. What counts is the least memory over a hundred steps: the most depends on
 * when garbage is collected, which on a busy machine may be late.
 */
const [width, batch, steps] = [640, 16, 1200];

class Perceptron extends Module {
  readonly up = new Linear(width, width);
  readonly down = new Linear(width, width);

  /** x [batch, width] → same */
  forward(x: Tensor): Tensor {
    return this.down.forward(gelu(this.up.forward(x)));
  }
}

await useEngine('ort', { threads: 1 });
const model = new Perceptron().initialize(1);
const parameters = model.trainableParameters();
const step = compile((x: Tensor, y: Tensor) => valueAndGrad(() => meanSquaredError(model.forward(x), y), parameters));
const descend = compileUpdate(([p, g, rate]) => [sub(p!, mul(g!, rate!))]);
const wave = (frequency: number) =>
  tensor(
    Float32Array.from({ length: batch * width }, (_, i) => Math.sin(i * frequency)),
    [batch, width],
  );
const losses: number[] = [];
let [least, leastLater] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
for (let i = 0; i < steps; i++) {
  const { value, grads } = await step(wave(0.1 + i * 1e-5), wave(0.3));
  for (const [name, parameter] of Object.entries(parameters))
    await descend([parameter, grads[name]!, tensor(0.5)], [parameter]);
  losses.push(await value.item());
  const { rss } = process.memoryUsage();
  if (i >= 300 && i < 400) least = Math.min(least, rss);
  if (i >= steps - 100) leastLater = Math.min(leastLater, rss);
}
console.log(JSON.stringify({ growth: (leastLater - least) / 2 ** 20, first: losses[0], last: losses.at(-1) }));
await closeEngine();
