import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { applyLora, closeEngine } from '@ocelli/core-tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { train } from '../../src/index.js';
import { Mlp, oneStage, toyRun } from '../support/toy.js';

afterAll(closeEngine);

/** A finished network that is to be adapted. */
function adapted(loraDropout: number, seed = 5): Mlp {
  const model = new Mlp(8).initialize(1);
  applyLora(model, { targetModules: ['up', 'down'], r: 2, loraAlpha: 4, loraDropout }, { seed });
  return model;
}

const config = oneStage({ trainable: ['*.adapter'], steps: 6, accumulation: 2 });

async function trained(model: Mlp): Promise<Record<string, number[]>> {
  const state = await model.state();
  return Object.fromEntries(Object.entries(state).map(([name, { data }]) => [name, Array.from(data, Number)]));
}

describe('training with adapters', () => {
  test('changes the adapters alone, and a resumed run ends with the same bytes', async () => {
    const before = await trained(adapted(0.3));
    const whole = toyRun({ config, model: adapted(0.3), checkpoints: { every: 3 } });
    expect(await train(whole)).toMatchObject({ status: 'completed', step: 6 });
    const after = await trained(whole.model);
    const changed = Object.keys(after).filter((name) => after[name]!.join() !== before[name]!.join());
    expect(changed.sort()).toEqual([
      'down.adapter.lora_A.weight',
      'down.adapter.lora_B.weight',
      'up.adapter.lora_A.weight',
      'up.adapter.lora_B.weight',
    ]);

    const path = (file: string) => join(whole.directory, 'checkpoints', 'step-000006', file);
    const files = ['model.safetensors', 'optimizer.safetensors'];
    const bytes = await Promise.all(files.map((file) => readFile(path(file))));
    const { directory } = whole;
    const resumed = toyRun({ config, directory, model: adapted(0.3, 99), resume: 'step-000003' });
    expect(await train(resumed)).toMatchObject({ status: 'completed', step: 6 });
    const again = await Promise.all(files.map((file) => readFile(path(file))));
    expect(again.map((file, index) => file.equals(bytes[index]!))).toEqual([true, true]);
  });

  test('drops in the adapters under the key of the step', async () => {
    const results = await Promise.all(
      [0, 0.3].map(async (rate) => {
        const run = toyRun({ config, model: adapted(rate) });
        await train(run);
        return trained(run.model);
      }),
    );
    expect(results[0]!['up.adapter.lora_B.weight']).not.toEqual(results[1]!['up.adapter.lora_B.weight']);
  });
});
