import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  compareExactly,
  compareWithFixture,
  expandDims,
  type Fixture,
  fixtureTensors,
  loadLora,
  loraParameters,
  mergeLora,
  notEqual,
  openSafetensors,
  type ParityResult,
  parseConfig,
  saveLora,
  type Tensor,
  type TensorSource,
  tensor,
  toTensor,
  unmergeLora,
  where,
  worstOf,
  writeSafetensors,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { llamaConfigFromHuggingFace } from '../llama/hugging-face-config.js';
import { Llama } from '../llama/llama.js';

const fixtureConfig = z.looseObject({ adapter_config: z.record(z.string(), z.unknown()) });

const prefix = 'adapter.';

/** PEFT's adapters on a LLaMA: read from a folder, computed, merged, taken out again, differentiated, and written. */
export async function checkLora(fixture: Fixture): Promise<ParityResult> {
  const { adapter_config: adapterConfig, ...config } = parseConfig('lora_llama fixture', fixtureConfig, fixture.config);
  const parameters = Object.entries(fixtureTensors(fixture, 'param'));
  const ofAdapter = parameters.filter(([name]) => name.startsWith(prefix));
  const model = new Llama(llamaConfigFromHuggingFace({ ...config, model_type: 'llama' }));
  model.loadState(Object.fromEntries(parameters.filter(([name]) => !name.startsWith(prefix))));
  const inputs = fixtureTensors(fixture, 'in');
  const run = (): { logits: Tensor; loss: Tensor } => {
    const mask = toTensor(inputs.attention_mask!);
    const { logits, loss } = model.forward({
      inputIds: toTensor(inputs.input_ids!),
      attentionMask: mask,
      labels: toTensor(inputs.labels!),
    });
    // Fixtures store nothing for padding.
    return { logits: where(expandDims(notEqual(mask, 0), -1), logits, 0), loss: loss! };
  };

  const folder = await mkdtemp(join(tmpdir(), 'ocelli-lora-'));
  try {
    const outputs: Record<string, Tensor> = { 'logits.base': await computed(run().logits) };
    const stored = Object.fromEntries(ofAdapter.map(([name, value]) => [name.slice(prefix.length), value]));
    await writeSafetensors(join(folder, 'adapter_model.safetensors'), stored as Record<string, TensorSource>);
    await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(adapterConfig));
    const loaded = await loadLora(model, folder, { trainable: true });

    await mergeLora(model);
    outputs['logits.merged'] = await computed(run().logits);
    for (const name of Object.keys(fixtureTensors(fixture, 'out.merged'))) {
      outputs[`merged.${name}`] = await computed(model.namedParameters()[name]!);
    }
    await unmergeLora(model);
    const numbers = await compareWithFixture(withCotangent(fixture), {
      outputs: { ...outputs, ...run() },
      parameters: Object.fromEntries(
        Object.entries(loraParameters(model)).map(([name, parameter]) => [`${prefix}${name}`, parameter]),
      ),
    });
    await saveLora(join(folder, 'again'), model, loaded);
    return worstOf([numbers, await compareNames(join(folder, 'again', 'adapter_model.safetensors'), stored)]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Values as they are now: weights change underneath. */
async function computed(x: Tensor): Promise<Tensor> {
  return tensor((await x.data()).slice(), x.shape);
}

/** The loss alone was differentiated. */
function withCotangent(fixture: Fixture): Fixture {
  const cotangent = { shape: [], dtype: 'float32', data: Float32Array.of(1) } as const;
  return { ...fixture, tensors: new Map([...fixture.tensors, ['cot.loss', cotangent]]) };
}

/** Names and shapes of a written file. */
async function compareNames(
  file: string,
  expected: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): Promise<ParityResult> {
  const reader = await openSafetensors(file);
  try {
    const shapes = Object.fromEntries(reader.keys().map((key) => [key, reader.info(key).shape]));
    return compareExactly(shapes, Object.fromEntries(Object.entries(expected).map(([key, { shape }]) => [key, shape])));
  } finally {
    await reader.close();
  }
}
