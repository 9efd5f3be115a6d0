import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CheckpointError,
  ConfigError,
  closeEngine,
  compile,
  concat,
  keyWords,
  ones,
  openSafetensors,
  randomKey,
  streamKey,
  type Tensor,
  tensor,
  valueAndGrad,
  withTrainingKey,
  zeros,
} from '@ocelli/core-tensor';
import { moaiTrainingPhases, startMoaiPhase } from '@ocelli/moai-mixer';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createMoaiAnswerer,
  loadMoai,
  type MoaiBatch,
  MoaiModel,
  moaiConfigFromHuggingFace,
  prepareMoai,
  saveModel,
} from '../../src/index.js';
import { preparation, samples, smallConfig } from './support.js';

afterAll(closeEngine);

const smallModel = () => new MoaiModel(smallConfig).initialize(1);

async function trainingBatch(model: MoaiModel): Promise<MoaiBatch> {
  return prepareMoai(await samples(['red', 'yes']), model, preparation);
}

function count(model: MoaiModel, pattern: RegExp): number {
  return Object.entries(model.namedParameters())
    .filter(([name]) => pattern.test(name))
    .reduce((sum, [, { size }]) => sum + size, 0);
}

describe('MoAI-7B', () => {
  it('has the published numbers of parameters and tokens', () => {
    const model = new MoaiModel();
    expect(model.imageTokens).toBe(1225);
    expect(model.imageToken).toBe(92544);
    expect(count(model, /^decoder\.(language\.(?!.*adapter)|image_token)/)).toBe(7_737_712_640);
    expect(count(model, /adapter\.Plora/)).toBe(603_979_776);
    expect(count(model, /^vision\./)).toBe(304_172_032);
    expect(count(model, /^vision_proj\./)).toBe(20_979_712);
    expect(count(model, /^moai_compressor\./)).toBe(151_363_584);
    expect(count(model, /^decoder\.mixers\./)).toBe(50_429_976);
    expect(model.parameterCount()).toBe(8_868_637_720);
    startMoaiPhase(model, moaiTrainingPhases[1]);
    const trained = Object.values(model.trainableParameters()).reduce((sum, { size }) => sum + size, 0);
    expect(trained).toBe(201_793_560);
  });

  it('follows from the fields of the published configuration', () => {
    const config = moaiConfigFromHuggingFace({ vocab_size: 50, hidden_size: 64, bias: false, img_size: 28 });
    expect(config).toMatchObject({ language: { vocabSize: 50, hiddenSize: 64 }, vision: { imageSize: 28 } });
  });
});

describe('training', () => {
  it('trains compressor and experts in the first phase and the gates besides in the second, and nothing else', async () => {
    const model = smallModel();
    const batch = await trainingBatch(model);
    for (const phase of moaiTrainingPhases) {
      startMoaiPhase(model, phase);
      const step = compile((given: MoaiBatch, root: Tensor) =>
        withTrainingKey(streamKey(root), () =>
          valueAndGrad(() => model.forward(given, { mode: phase.mode }).loss!, model.trainableParameters()),
        ),
      );
      const { value, grads } = await step(batch, tensor(keyWords(randomKey(3))));
      expect(await value.item()).toBeGreaterThan(1);
      const names = Object.keys(grads);
      expect(names.every((name) => name.includes('moai'))).toBe(true);
      expect(names.some((name) => name.includes('moai_GA_'))).toBe(phase.mode === 'step2');
      if (phase.mode === 'step2') {
        for (const [name, gradient] of Object.entries(grads)) {
          expect(Math.max(...((await gradient.data()) as Float32Array).map(Math.abs)), name).toBeGreaterThan(0);
        }
      }
    }
  });

  it('draws one expert of each modality in the first phase, another with another key', async () => {
    const model = smallModel();
    const batch = await trainingBatch(model);
    startMoaiPhase(model, moaiTrainingPhases[0]);
    const step = compile((given: MoaiBatch, root: Tensor) =>
      withTrainingKey(streamKey(root), () =>
        valueAndGrad(() => model.forward(given, { mode: 'step1' }).loss!, model.trainableParameters()),
      ),
    );
    const experts = ['CA_img_aux', 'CA_img_lang', 'SA_img', 'CA_lang_aux', 'CA_lang_img', 'SA_lang'];
    const seen = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const { grads } = await step(batch, tensor(keyWords(randomKey(seed))));
      const used: string[] = [];
      for (const expert of experts) {
        const name = `decoder.mixers.layers.1.moai_${expert}.linear_o.1.weight`;
        if (((await grads[name]!.data()) as Float32Array).some((value) => value !== 0)) used.push(expert);
      }
      expect(used.filter((expert) => expert.includes('_img') && !expert.includes('lang_img'))).toHaveLength(1);
      expect(used).toHaveLength(2);
      for (const expert of used) seen.add(expert);
    }
    expect([...seen].sort()).toEqual([...experts].sort());
  });

  it('does not show answers to the experts', async () => {
    const model = smallModel();
    /** How far the scores in front of the first answer move where that answer is another one. */
    const influence = async (change: (batch: MoaiBatch) => MoaiBatch): Promise<number> => {
      const [one, other] = await Promise.all(
        ['red', 'yes'].map(async (answer) => {
          const batch = change(prepareMoai(await samples([answer, answer]), model, preparation));
          const labels = (await batch.labels!.data()) as Int32Array;
          const place = labels.findIndex((label) => label !== -100) - 1;
          const { logits } = model.forward(batch, { mode: 'step2' });
          const vocabulary = logits.shape[2]!;
          return ((await logits.data()) as Float32Array).slice(place * vocabulary, (place + 1) * vocabulary);
        }),
      );
      return Math.max(...one!.map((score, index) => Math.abs(score - other![index]!)));
    };
    const shown = await influence((batch) => ({ ...batch, languageMask: undefined }));
    expect(shown).toBeGreaterThan(1e-3);
    expect(await influence((batch) => batch)).toBeLessThan(shown / 20);
  });

  it('asks for a training key where experts are drawn', async () => {
    const model = smallModel();
    const batch = await trainingBatch(model);
    expect(() => model.forward(batch, { mode: 'step1' })).toThrow(ConfigError);
  });
});

describe('gate weights', () => {
  it('are of sum 1 for each token, and all alike where routing is uniform', async () => {
    const model = smallModel();
    const batch = prepareMoai(await samples(), model, preparation);
    const weights = model.gateWeights(batch, { routing: { kind: 'gates', precision: 'float32' } });
    expect([...weights.keys()]).toEqual([1]);
    const { image, language } = weights.get(1)!;
    expect(image.shape).toEqual([2, ...batch.plan.shape.slice(1), 3]);
    for (const each of [image, language]) {
      const values = (await each.data()) as Float32Array;
      for (let token = 0; token < values.length; token += 3) {
        expect(values[token]! + values[token + 1]! + values[token + 2]!).toBeCloseTo(1, 5);
      }
      expect(new Set(values).size).toBeGreaterThan(10);
    }
    const uniform = model.gateWeights(batch, { routing: { kind: 'uniform' } }).get(1)!;
    expect([...((await uniform.image.data()) as Float32Array)]).toEqual([1 / 3, 1 / 3, 1 / 3].map(Math.fround));
  });

  it('leave out all but the likeliest experts if asked to', async () => {
    const model = smallModel();
    const batch = prepareMoai(await samples(), model, preparation);
    const routing = { kind: 'gates', precision: 'float32', topK: 2 } as const;
    const values = (await model.gateWeights(batch, { routing }).get(1)!.language.data()) as Float32Array;
    for (let token = 0; token < values.length; token += 3) {
      expect([...values.slice(token, token + 3)].filter((weight) => weight === 0)).toHaveLength(1);
    }
  });
});

describe('answers', () => {
  it('are those that whole sequences give, token by token, also for another batch of the same shape', async () => {
    const model = smallModel();
    const answer = createMoaiAnswerer(model);
    const prompts = await samples();
    for (const order of [prompts, [...prompts].reverse()]) {
      const batch = prepareMoai(order, model, preparation);
      const rows = await answer(batch, { maxNewTokens: 3, eosTokenId: preparation.tokenizer.eosTokenId! });
      for (const [row, { tokens }] of rows.entries()) {
        const chosen: number[] = [];
        for (const token of tokens) {
          expect(token).toBe(await nextToken(model, [order[row]!], chosen));
          chosen.push(token);
        }
      }
    }
  });
});

/** The likeliest token behind a prompt and what was written already, without a cache. */
async function nextToken(model: MoaiModel, prompt: Awaited<ReturnType<typeof samples>>, written: readonly number[]) {
  const batch = prepareMoai(prompt, model, preparation);
  const sequence = model.sequence(batch);
  const tokens = tensor(Int32Array.from([...written, 0]), [1, written.length + 1]);
  const width = sequence.inputsEmbeds.shape[1]!;
  const more = model.embedText(tokens);
  const none = zeros([1, written.length + 1], 'bool');
  const { logits } = model.decoder.forward({
    inputsEmbeds: concat([sequence.inputsEmbeds, more], 1),
    attentionMask: ones([1, width + written.length + 1], 'bool'),
    imageMask: concat([sequence.imageMask, none], 1),
    languageMask: concat([sequence.languageMask!, none], 1),
    aux: sequence.aux,
  });
  const vocabulary = logits.shape[2]!;
  const place = width + written.length - 1;
  const scores = ((await logits.data()) as Float32Array).slice(place * vocabulary, (place + 1) * vocabulary);
  return scores.indexOf(Math.max(...scores));
}

describe('files', () => {
  it('hold the published names and give the same model again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'moai-'));
    try {
      const model = smallModel();
      await saveModel(folder, model, { names: 'published' });
      const reader = await openSafetensors(join(folder, 'model.safetensors'));
      const keys = reader.keys();
      await reader.close();
      expect(keys).toContain('model.layers.1.attention.moai_CA_img_aux.linear_q.0.weight');
      expect(keys).toContain('model.layers.0.attention.wqkv.Plora_A.weight');
      expect(keys).toContain('vit.vision_tower.vision_model.embeddings.class_embedding');
      expect(keys).toContain('moai_compressor.layers.0.1.3.weight');
      expect(keys.filter((key) => /^(decoder|vision)\./.test(key))).toEqual([]);

      const again = await loadMoai(folder);
      expect(again.config).toEqual(model.config);
      const batch = prepareMoai(await samples(), model, preparation);
      const [before, after] = await Promise.all(
        [model, again].map(async (each) => (await each.forward(batch).logits.data()) as Float32Array),
      );
      expect(after).toEqual(before);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('of another kind are refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'moai-'));
    try {
      await saveModel(folder, smallModel());
      const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object;
      await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, mixer: {} }));
      await expect(loadMoai(folder)).rejects.toThrow(CheckpointError);
      await expect(loadMoai(folder)).rejects.toThrow('unknown key "mixer"');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('composition', () => {
  it('takes another projector, whose tokens stand in the prompt', async () => {
    const projector = {
      type: 'c-abstractor',
      visionWidth: 16,
      languageWidth: 16,
      inputTokens: 4,
      outputTokens: 1,
      hiddenSize: 16,
      depth: 1,
    } as const;
    const model = new MoaiModel({ ...smallConfig, projector }).initialize(1);
    expect(model.imageTokens).toBe(1);
    const batch = await trainingBatch(model);
    expect(batch.plan.shape[1]).toBe((await trainingBatch(smallModel())).plan.shape[1]! - 3);
    startMoaiPhase(model, moaiTrainingPhases[1]);
    const step = compile((given: MoaiBatch) =>
      valueAndGrad(() => model.forward(given, { mode: 'step2' }).loss!, model.trainableParameters()),
    );
    expect(await (await step(batch)).value.item()).toBeGreaterThan(0);
    const folder = await mkdtemp(join(tmpdir(), 'moai-'));
    try {
      await saveModel(folder, model);
      const again = await loadMoai(folder);
      expect(again.config).toEqual(model.config);
      expect(await again.vision_proj.state()).toEqual(await model.vision_proj.state());
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses a projector of another width', () => {
    const projector = { type: 'linear', visionWidth: 16, languageWidth: 12 } as const;
    expect(() => new MoaiModel({ ...smallConfig, projector })).toThrow('projector.languageWidth of 16');
  });
});

describe('configuration', () => {
  it('refuses mixers in layers that do not exist, and widths of its own', () => {
    expect(() => new MoaiModel({ ...smallConfig, mixers: { layers: [2] } })).toThrow('layer 2');
    const wide = { ...smallConfig, mixers: { ...smallConfig.mixers, hiddenSize: 16 } };
    expect(() => new MoaiModel(wide)).toThrow('mixers.hiddenSize: follows from the language model');
  });
});
