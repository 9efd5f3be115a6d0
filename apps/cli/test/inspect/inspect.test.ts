import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  applyLora,
  bitsAndBytesTensors,
  closeEngine,
  quantizeModule,
  saveLora,
  writeCheckpoint,
} from '@ocelli/core-tensor';
import { ClipVisionTower, saveClipVision } from '@ocelli/encoders';
import { Llama, saveLlama } from '@ocelli/language';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { commits, startHub } from '../../../../test/support/hub-server.js';
import { runCommandLine } from '../../src/command-line.js';
import { inspect } from '../../src/inspect/inspect.js';
import { memoryTerminal } from '../memory-terminal.js';

const fixtures = fileURLToPath(new URL('../../../../packages/language/test/fixtures/backbones/', import.meta.url));
const [qwen2, llama] = [join(fixtures, 'hf_qwen2_sharded'), join(fixtures, 'hf_llama_single')];
const small = { vocabSize: 40, hiddenSize: 32, intermediateSize: 64, numHiddenLayers: 2, numAttentionHeads: 4 };
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ocelli-inspect-'));
});

afterEach(() => {
  vi.unstubAllEnvs();
});

afterAll(async () => {
  await rm(root, { recursive: true });
  await closeEngine();
});

async function run(...args: string[]) {
  const terminal = memoryTerminal();
  const code = await runCommandLine(['inspect', ...args], terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

/** A copy of a checkpoint with some fields of its configuration changed. */
async function withConfig(folder: string, changes: object): Promise<string> {
  const copy = await mkdtemp(join(root, 'copy-'));
  await cp(folder, copy, { recursive: true });
  const config = JSON.parse(await readFile(join(copy, 'config.json'), 'utf8')) as object;
  await writeFile(join(copy, 'config.json'), JSON.stringify({ ...config, ...changes }));
  return copy;
}

describe('ocelli inspect', () => {
  it('prints model, structure, files and dtypes of a sharded checkpoint', async () => {
    const { code, output, errors } = await run(qwen2);
    expect([code, errors]).toEqual([0, '']);
    expect(output).toContain('architecture  Qwen2ForCausalLM (model_type qwen2)\n');
    expect(output).toContain('model         qwen2 decoder\n');
    expect(output).toContain('parameters    15,296\n');
    expect(output).toMatch(/vocabSize 37, hiddenSize 32, .*numHiddenLayers 2/s);
    expect(output).toMatch(/^model-00002-of-00003\.safetensors +11\.9 kB +9 +bfloat16$/m);
    expect(output).toMatch(/^bfloat16 +26 +15,296 +30\.6 kB$/m);
    expect(output).toContain('Every parameter has its tensor.\n');
    expect(output).not.toContain('mlp.up_proj');
  });

  it('tells what is of no use, and lists the tensors when asked', async () => {
    const { output } = await run(llama, '--tensors');
    expect(output).toMatch(/^total +23 +18,024 +49\.4 kB$/m);
    expect(output).toContain(
      'of no use to the model: 2 tensors, such as model.layers.{0..1}.self_attn.rotary_emb.inv_freq',
    );
    expect(output).toMatch(/^model\.layers\.\{0\.\.1\}\.mlp\.up_proj\.weight +float16 +\[40, 32\]$/m);
  });

  it('lists what does not fit, and fails', async () => {
    const folder = await withConfig(llama, { num_hidden_layers: 3, vocab_size: 30 });
    const { code, output } = await run(folder);
    expect(code).toBe(1);
    expect(output).toContain('missing: model.layers.2.self_attn.q_proj.weight, ');
    expect(output).toContain(
      'of another shape: model.embed_tokens.weight: [31, 32] instead of [30, 32]; lm_head.weight',
    );
    expect(output).not.toContain('Every parameter has its tensor');
  });

  it('prints the same as JSON', async () => {
    const { code, output } = await run(qwen2, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(output)).toEqual(await inspect(qwen2));
    expect(JSON.parse(output)).toMatchObject({
      model: { kind: 'qwen2 decoder', parameters: 15296, config: { tieWordEmbeddings: true } },
      files: [{ tensors: 8, bytes: 8640, fileBytes: 9464 }, { tensors: 9 }, { tensors: 9 }],
      fit: { missing: [], unexpected: [], misshapen: [] },
      problem: null,
    });
  });

  it('knows vision encoders, also by their tensors alone', async () => {
    const folder = join(root, 'clip');
    const config = {
      hiddenSize: 24,
      intermediateSize: 40,
      numHiddenLayers: 2,
      numAttentionHeads: 3,
      imageSize: 30,
      patchSize: 6,
    };
    const tower = new ClipVisionTower(config).initialize(0);
    await saveClipVision(folder, tower);
    const inspection = await inspect(folder);
    expect(inspection.model).toMatchObject({ kind: 'clip vision encoder', parameters: tower.parameterCount() });
    expect(inspection.fit).toMatchObject({ missing: [], unexpected: [] });
  });

  it('prints the tensors of a file that no model is known by, and of an unknown architecture', async () => {
    const lone = await run(join(llama, 'model.safetensors'));
    expect(lone.code).toBe(0);
    expect(lone.output).toContain('No model is known by these tensors alone.');
    expect(lone.output).toMatch(/^model\.norm\.weight +float32 +\[32\]$/m);
    const other = await run(await withConfig(llama, { model_type: 'gpt2', architectures: ['GPT2LMHeadModel'] }));
    expect(other.code).toBe(0);
    expect(other.output).toContain('architecture  GPT2LMHeadModel (model_type gpt2)');
    expect(other.output).toMatch(/expected model_type llama, qwen2, internlm2, roberta, .*received "gpt2"\./);
  });

  it('describes an adapter, and compares it with its base model', async () => {
    const [base, adapter] = [join(root, 'base'), join(root, 'adapter')];
    const model = new Llama(small).initialize(1);
    await saveLlama(base, model);
    const targetModules = ['q_proj', 'v_proj'];
    const config = applyLora(model, { r: 4, loraAlpha: 8, targetModules, baseModelNameOrPath: 'some/base' });
    await saveLora(adapter, model, config);

    const alone = await run(adapter);
    expect(alone.code).toBe(0);
    expect(alone.output).toContain('adapter     LoRA of rank 4, alpha 8, on q_proj, v_proj\nbase model  some/base\n');
    expect(alone.output).toMatch(/^adapter_model\.safetensors +\d.* 8 +float32$/m);
    const fitting = await run(adapter, '--base', base);
    expect(fitting.code).toBe(0);
    expect(fitting.output).toContain('Every layer of the adapter is in the base model');
    const other = await run(adapter, '--base', llama.replace('hf_llama_single', 'hf_qwen2_sharded'));
    expect(other.code).toBe(1);
    expect(other.output).toMatch(/problem: load adapter .*v_proj\.lora_B\.weight.*instead of/);
  });

  it.each([{ bits: 4, blockSize: 32 }, { format: 'nf4' }, { format: 'int8' }] as const)(
    'counts the parameters behind weights of %o',
    async (format) => {
      const folder = join(root, JSON.stringify(format).replaceAll(/\W/g, ''));
      const model = new Llama(small).initialize(1);
      const parameters = model.parameterCount();
      await quantizeModule(model, format);
      await saveLlama(folder, model);
      if ('format' in format) await writeCheckpoint(folder, await bitsAndBytesTensors(model));
      const inspection = await inspect(folder);
      expect(inspection.model).toMatchObject({ kind: 'llama decoder', parameters });
      expect(inspection.quantization).toMatchObject({ weights: 14, isSupported: true });
      expect([inspection.problem, inspection.fit?.missing]).toEqual([null, []]);
    },
  );

  it('names methods of quantization that cannot be loaded', async () => {
    const folder = await withConfig(llama, { quantization_config: { quant_method: 'gptq', bits: 4 } });
    expect((await run(folder)).output).toContain('quantized     0 weights, gptq, which cannot be loaded');
  });

  it('looks at a model of the hub without downloading its weights', async () => {
    const names = [
      'config.json',
      'model.safetensors.index.json',
      ...[1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`),
    ];
    const files = await Promise.all(
      names.map(
        async (name) => [name, { contents: await readFile(join(qwen2, name)), isLarge: name.endsWith('s') }] as const,
      ),
    );
    const hub = await startHub('somebody/qwen', Object.fromEntries(files));
    vi.stubEnv('HF_ENDPOINT', hub.url);
    vi.stubEnv('HF_HUB_CACHE', join(root, 'cache'));
    try {
      const inspection = await inspect('somebody/qwen', { revision: commits[0] });
      expect(inspection).toEqual({ ...(await inspect(qwen2)), path: 'somebody/qwen' });
      expect(hub.requests.filter((each) => / bytes=/.test(each) && !/bytes=(0-0|0-7|8-\d+)$/.test(each))).toEqual([]);
    } finally {
      await hub.close();
    }
    expect((await run('somebody/other')).errors).toMatch(/^fetch somebody\/other: expected .*received none/);
  });

  it('refuses what is damaged or not there', async () => {
    const folder = await withConfig(qwen2, {});
    await truncate(join(folder, 'model-00003-of-00003.safetensors'), 5000);
    const damaged = await run(folder);
    expect(damaged.code).toBe(1);
    expect(damaged.errors).toContain('model-00003-of-00003.safetensors');
    expect(await run(join(root, 'nowhere'))).toMatchObject({ code: 1, output: '' });
  });
});
