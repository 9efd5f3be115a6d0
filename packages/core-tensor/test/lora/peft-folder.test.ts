import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  applyLora,
  CheckpointError,
  ConfigError,
  closeEngine,
  type LoraConfigInput,
  loadLora,
  loraConfigFromPeft,
  loraConfigToPeft,
  loraParameters,
  mergeLora,
  openSafetensors,
  parseLoraConfig,
  saveLora,
  type TensorSource,
  tensor,
  useEngine,
  writeSafetensors,
} from '../../src/index.js';
import { expectNumbers, numbersIn } from '../support/expect-numbers.js';
import { ToyModel, trainAdapters } from './toy-model.js';

beforeAll(async () => {
  await useEngine('reference');
});
afterAll(closeEngine);

const ids = tensor([1, 3, 0, 6], undefined, 'int32');

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ocelli-lora-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function saved(config: LoraConfigInput, options = {}): Promise<{ folder: string; model: ToyModel }> {
  const model = new ToyModel({ depth: 2 }).initialize(1);
  const complete = applyLora(model, config);
  trainAdapters(model);
  const folder = join(await temporaryFolder(), 'adapter');
  await saveLora(folder, model, complete, options);
  return { folder, model };
}

async function keysIn(file: string): Promise<string[]> {
  const reader = await openSafetensors(file);
  try {
    return [...reader.keys()].sort();
  } finally {
    await reader.close();
  }
}

/** The adapter file again, with its tensors changed. */
async function rewrite(folder: string, change: (tensors: Record<string, TensorSource>) => void): Promise<void> {
  const file = join(folder, 'adapter_model.safetensors');
  const reader = await openSafetensors(file);
  const tensors: Record<string, TensorSource> = {};
  for (const key of reader.keys()) tensors[key] = await reader.read(key);
  await reader.close();
  change(tensors);
  await writeSafetensors(file, tensors);
}

const floats = (...shape: number[]): TensorSource => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.5),
});

describe('an adapter folder', () => {
  test('has the names and fields of PEFT', async () => {
    const { folder, model } = await saved({ targetModules: ['q_proj', 'embed_tokens'], r: 2, taskType: 'CAUSAL_LM' });
    expect((await readdir(folder)).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
    const names = [
      'base_model.model.model.embed_tokens.lora_embedding_A',
      'base_model.model.model.embed_tokens.lora_embedding_B',
      'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight',
      'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight',
      'base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight',
      'base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight',
    ];
    expect(await keysIn(join(folder, 'adapter_model.safetensors'))).toEqual(names);
    expect(Object.keys(loraParameters(model)).sort()).toEqual(names);
    expect(JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8'))).toEqual({
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      base_model_name_or_path: null,
      inference_mode: true,
      r: 2,
      lora_alpha: 8,
      lora_dropout: 0,
      target_modules: ['q_proj', 'embed_tokens'],
      exclude_modules: null,
      bias: 'none',
      fan_in_fan_out: false,
      use_rslora: false,
      use_dora: false,
      modules_to_save: null,
      init_lora_weights: true,
      layers_to_transform: null,
      layers_pattern: null,
      rank_pattern: {},
      alpha_pattern: {},
    });
  });

  test.each<[string, LoraConfigInput]>([
    ['default layers', {}],
    ['all linear layers, some with ranks of their own', { targetModules: 'all-linear', rankPattern: { v_proj: 3 } }],
    ['an expression', { targetModules: '.*\\.1\\..*proj', useRslora: true }],
    ['biases of adapted layers', { targetModules: ['q_proj'], bias: 'lora_only' }],
    ['all biases', { bias: 'all' }],
    ['an embedding and modules as a whole', { targetModules: ['embed_tokens'], modulesToSave: ['lm_head', 'norm'] }],
  ])('gives the same model again: %s', async (_, config) => {
    const { folder, model } = await saved(config);
    const others = Object.values(model.trainableParameters()).filter(({ size }) => size <= 42);
    for (const parameter of others)
      parameter.set(Float32Array.from({ length: parameter.size }, (__, i) => Math.cos(i)));
    await saveLora(
      folder,
      model,
      parseLoraConfig({ ...config, targetModules: config.targetModules ?? ['q_proj', 'v_proj'] }),
    );
    const again = new ToyModel({ depth: 2 }).initialize(1);
    const loaded = await loadLora(again, folder, { trainable: true });
    expect(loraConfigToPeft(loaded)).toEqual(JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8')));
    await expectNumbers(again.forward(ids), await numbersIn(model.forward(ids)), 6);
    expect(Object.keys(again.trainableParameters()).sort()).toEqual(Object.keys(model.trainableParameters()).sort());
    const second = new ToyModel({ depth: 2 }).initialize(1);
    await loadLora(second, folder);
    expect(Object.keys(second.trainableParameters())).toEqual([]);
  });

  test('may hold halves', async () => {
    const { folder, model } = await saved({}, { dtype: 'bfloat16' });
    const again = new ToyModel({ depth: 2 }).initialize(1);
    await loadLora(again, folder);
    const [name, parameter] = Object.entries(loraParameters(again))[0]!;
    expect(parameter.dtype).toBe('float32');
    await expectNumbers(parameter, await numbersIn(loraParameters(model)[name]!), 2);
  });

  test('keeps what else trains beside it, named as LLaVA names it', async () => {
    const { folder, model } = await saved({ targetModules: ['q_proj'] });
    model.unfreeze('lm_head', /norm/);
    model.lm_head.floatWeight.set(new Float32Array(42).fill(2));
    const config = { targetModules: ['q_proj'] };
    await saveLora(folder, model, config);
    expect(await keysIn(join(folder, 'non_lora_trainables.safetensors'))).toEqual([
      'base_model.model.lm_head.weight',
      'base_model.model.model.layers.0.norm.bias',
      'base_model.model.model.layers.0.norm.weight',
      'base_model.model.model.layers.1.norm.bias',
      'base_model.model.model.layers.1.norm.weight',
    ]);
    const again = new ToyModel({ depth: 2 }).initialize(1);
    await loadLora(again, folder, { trainable: true });
    await expectNumbers(again.forward(ids), await numbersIn(model.forward(ids)), 6);
    expect(Object.keys(again.trainableParameters())).toEqual(Object.keys(model.trainableParameters()));
    model.freeze('lm_head', /norm/);
    await saveLora(folder, model, config);
    expect(await readdir(folder)).not.toContain('non_lora_trainables.safetensors');
  });

  test('may name tensors as they are in memory of PEFT, and hold the base of an embedding', async () => {
    const { folder, model } = await saved({ targetModules: ['q_proj', 'embed_tokens'], bias: 'lora_only' });
    await rewrite(folder, (tensors) => {
      for (const key of Object.keys(tensors)) {
        const { [key]: stored } = tensors;
        delete tensors[key];
        const inMemory = key
          .replace(/(lora_[AB])\.weight$/, '$1.default.weight')
          .replace(/(lora_embedding_[AB])$/, '$1.default');
        if (!key.endsWith('.bias')) tensors[inMemory] = stored!;
      }
      tensors['base_model.model.model.embed_tokens.base_layer.weight'] = floats(7, 6);
    });
    const again = new ToyModel({ depth: 2 }).initialize(1);
    await loadLora(again, folder, { trainable: true });
    await expectNumbers(again.model.embed_tokens.weight, new Array(42).fill(0.5));
    expect(again.model.embed_tokens.weight.requiresGrad).toBe(false);
    const key = 'base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight';
    await expectNumbers(loraParameters(again)[key]!, await numbersIn(loraParameters(model)[key]!));
  });

  test('is not written from a model whose adapters are others, or merged', async () => {
    const { folder, model } = await saved({ targetModules: ['q_proj'], r: 2 });
    await expect(saveLora(folder, model, { targetModules: ['q_proj'], r: 4 })).rejects.toThrow(
      /missing: model\.layers\.0\.self_attn\.q_proj \(r 4, scaling 2\).*unexpected: .*\(r 2, scaling 4\)/,
    );
    await expect(saveLora(folder, model, { targetModules: ['q_proj', 'v_proj'], r: 2 })).rejects.toThrow(ConfigError);
    await mergeLora(model);
    await expect(saveLora(folder, model, { targetModules: ['q_proj'], r: 2 })).rejects.toThrow(/unmergeLora/);
  });
});

describe('an adapter for another model', () => {
  async function failure(folder: string, model = new ToyModel({ depth: 2 })): Promise<Error> {
    const names = Object.keys(model.namedParameters());
    const error = await loadLora(model, folder).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error).toBeInstanceOf(Error);
    expect(Object.keys(model.trainableParameters())).toEqual(names);
    return error!;
  }

  test('is refused with what is missing, unexpected and of another shape', async () => {
    const { folder } = await saved({ baseModelNameOrPath: 'someone/toy-2', targetModules: ['q_proj'] });
    const deeper = await failure(folder, new ToyModel({ depth: 3 }));
    expect(deeper).toBeInstanceOf(CheckpointError);
    expect((deeper as CheckpointError).file).toBe(join(folder, 'adapter_model.safetensors'));
    expect(deeper.message).toMatch(/missing: model\.layers\.2\.self_attn\.q_proj\.lora_A\.weight/);
    expect(deeper.message).toMatch(/It was made for someone\/toy-2\./);
    const shallower = await failure(folder, new ToyModel({ depth: 1 }));
    expect(shallower.message).toMatch(/unexpected: model\.layers\.1\.self_attn\.q_proj\.lora_A\.weight/);
    const wider = await failure(folder, new ToyModel({ depth: 2, width: 8 }));
    expect(wider.message).toMatch(/another shape: .*lora_A\.weight: \[8, 6\] instead of \[8, 8\]/);
  });

  test('is refused where the model has no such layers', async () => {
    const { folder } = await saved({});
    const config = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8')) as object;
    await writeFile(join(folder, 'adapter_config.json'), JSON.stringify({ ...config, target_modules: ['wqkv'] }));
    const error = await failure(folder);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/\["wqkv"\], received a ToyModel without any/);
  });

  test('is refused with an unknown tensor, or one stored twice', async () => {
    const { folder } = await saved({});
    await rewrite(folder, (tensors) => {
      tensors['base_model.model.score.weight'] = floats(2, 6);
    });
    expect((await failure(folder)).message).toMatch(/unexpected: score\.weight/);
    await rewrite(folder, (tensors) => {
      delete tensors['base_model.model.score.weight'];
      tensors['base_model.model.lm_head.weight'] = floats(7, 6);
      tensors['base_model.model.lm_head.base_layer.weight'] = floats(7, 6);
    });
    expect((await failure(folder)).message).toMatch(/every tensor once/);
  });

  test('is refused without its files, or with damaged ones', async () => {
    expect((await failure(join(tmpdir(), 'ocelli-no-such-adapter'))).message).toMatch(/adapter_config\.json/);
    const { folder } = await saved({});
    const weights = join(folder, 'adapter_model.safetensors');
    const bytes = await readFile(weights);
    await writeFile(weights, bytes.subarray(0, bytes.length - 4));
    expect(await failure(folder)).toBeInstanceOf(CheckpointError);
    await rm(weights);
    expect((await failure(folder)).message).toMatch(/adapter_model\.safetensors in the folder, received none/);
    await writeFile(join(folder, 'adapter_model.bin'), 'PK');
    expect((await failure(folder)).message).toMatch(/Convert the PyTorch file/);
    await writeFile(weights, bytes);
    await writeFile(join(folder, 'non_lora_trainables.bin'), 'PK');
    expect((await failure(folder)).message).toMatch(/non_lora_trainables\.safetensors .*Convert/);
    await writeFile(join(folder, 'adapter_config.json'), '{"peft_type"');
    expect((await failure(folder)).message).toMatch(/adapter_config\.json: expected JSON/);
  });
});

describe('a PEFT configuration', () => {
  const published = {
    peft_type: 'LORA',
    auto_mapping: null,
    base_model_name_or_path: 'lmsys/vicuna-7b-v1.5',
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layer_replication: null,
    layers_pattern: null,
    layers_to_transform: null,
    loftq_config: {},
    lora_alpha: 256,
    lora_dropout: 0.05,
    megatron_core: 'megatron.core',
    modules_to_save: [],
    r: 128,
    revision: null,
    target_modules: ['up_proj', 'q_proj'],
    task_type: 'CAUSAL_LM',
    use_rslora: false,
    use_dora: false,
  };

  test('may have fields of other versions', () => {
    expect(loraConfigFromPeft({ ...published, some_future_field: { a: 1 }, eva_config: null })).toMatchObject({
      r: 128,
      loraAlpha: 256,
      loraDropout: 0.05,
      targetModules: ['up_proj', 'q_proj'],
      modulesToSave: null,
      initLoraWeights: true,
    });
    const { use_dora, use_rslora, init_lora_weights, ...old } = published;
    expect([use_dora, use_rslora, init_lora_weights]).toEqual([false, false, true]);
    expect(loraConfigFromPeft(old)).toEqual(loraConfigFromPeft(published));
    expect(loraConfigFromPeft({ ...published, init_lora_weights: 'gaussian' }).initLoraWeights).toBe('gaussian');
    expect(loraConfigFromPeft({ ...published, init_lora_weights: 'eva' }).initLoraWeights).toBe(true);
  });

  test.each<[object, RegExp]>([
    [{ use_dora: true }, /received use_dora \(DoRA\)\. Merge the adapter/],
    [{ lora_bias: true, layer_replication: [[0, 4]] }, /lora_bias \(.*\), layer_replication/],
    [{ init_lora_weights: 'pissa' }, /init_lora_weights "pissa"/],
    [{ peft_type: 'IA3' }, /peft_type "LORA", received "IA3"/],
    [{ peft_type: undefined }, /peft_type/],
    [{ r: 'eight' }, /r: .*received "eight"/],
    [{ lora_dropout: 1.5 }, /loraDropout/],
    [{ target_modules: [] }, /targetModules/],
    [{ bias: 'some' }, /bias/],
  ])('with %j is refused', (change, message) => {
    expect(() => loraConfigFromPeft({ ...published, ...change })).toThrow(message);
    expect(() => loraConfigFromPeft({ ...published, ...change })).toThrow(ConfigError);
  });
});
