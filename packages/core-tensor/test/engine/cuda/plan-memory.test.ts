import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planCudaMemory } from '../../../src/cuda.js';
import {
  add,
  closeEngine,
  compile,
  gelu,
  gradients,
  LayerNorm,
  Linear,
  Module,
  mean,
  mul,
  placeholder,
  type Tensor,
  tensor,
  useEngine,
  valueAndGrad,
} from '../../../src/index.js';
import { deviceUnderTest } from './software-engine.js';

const device = await deviceUnderTest();
const settings = 'skipped' in device ? undefined : device.settings;

class Tower extends Module {
  readonly blocks = Array.from({ length: 6 }, () => ({
    norm: new LayerNorm(96),
    up: new Linear(96, 384),
    down: new Linear(384, 96),
  }));
  readonly layers = this.blocks.flatMap(({ norm, up, down }) => [norm, up, down]);

  loss(x: Tensor): Tensor {
    const last = this.blocks.reduce(
      (hidden, { norm, up, down }) => add(hidden, down.forward(gelu(up.forward(norm.forward(hidden))))),
      x,
    );
    return mean(mul(last, last));
  }
}

describe('planCudaMemory', () => {
  test('counts a frozen model as arguments and no gradients', () => {
    const model = new Tower();
    const x = placeholder([64, 96]);
    const whole = planCudaMemory([model.loss(x), ...gradients(model.loss(x), Object.values(model.namedParameters()))]);
    model.freeze();
    const frozen = planCudaMemory([model.loss(x)]);
    expect(frozen.arguments).toBe(whole.arguments);
    expect(frozen.results).toBeLessThan(1024);
    expect(whole.results).toBeGreaterThan(0.99 * (whole.arguments - 4 * x.size));
    expect(frozen.intermediate).toBeLessThan(whole.intermediate);
  });
});

describe.skipIf(!settings)('planCudaMemory on a device that counts', () => {
  beforeAll(() => {
    if ('search' in device) process.env.OCELLI_CUDA_LIBRARIES = device.search.searched[0]!.path;
  });
  afterAll(async () => {
    await closeEngine();
    delete process.env.OCELLI_CUDA_LIBRARIES;
  });

  // The device counts the most it ever gave out: what takes less comes first.
  test.each(['bfloat16', 'float32'] as const)(
    'is what a training step in %s takes, within 15 of 100',
    async (precision) => {
      await useEngine('cuda', { precision, kernelCache: false });
      const model = new Tower().initialize(0);
      const parameters = model.trainableParameters();
      const before = settings!.read('bytesInUse');
      const step = compile((x: Tensor) => valueAndGrad(() => model.loss(x), parameters));
      const { value, grads } = await step(tensor(new Float32Array(2048 * 96).fill(0.5), [2048, 96]));
      expect(Number.isFinite(await value.item())).toBe(true);
      const taken = settings!.read('peakBytes') - before;
      expect(Object.keys(grads)).toHaveLength(36);
      const x = placeholder([2048, 96]);
      const { total } = planCudaMemory([model.loss(x), ...gradients(model.loss(x), Object.values(parameters))], {
        precision,
      });
      expect(taken / total).toBeGreaterThan(0.85);
      expect(taken / total).toBeLessThan(1.15);
      await closeEngine();
    },
  );
});
