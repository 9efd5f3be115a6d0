import { clipVisionConfigs, clipVisionMacs, convNextConfigs, convNextMacs } from '@ocelli/encoders';
import { llamaConfigs } from '@ocelli/language';
import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/command-line.js';
import type { ModelPlan } from '../../src/plan/plan-model.js';
import { formatAmount } from '../../src/plan/text-table.js';
import { memoryTerminal } from '../memory-terminal.js';

async function run(...args: string[]) {
  const terminal = memoryTerminal();
  const code = await runCommandLine(['plan', '--model', ...args], terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

async function planOf(...args: string[]): Promise<ModelPlan> {
  const { code, output, errors } = await run(...args, '--json');
  expect([code, errors]).toEqual([0, '']);
  return JSON.parse(output) as ModelPlan;
}

describe('ocelli plan', () => {
  test('says what a vision tower makes of an image, and what it computes', async () => {
    const plan = await planOf('clip-vit-large-patch14-336');
    expect(plan).toMatchObject({
      kind: 'vision',
      parameters: 303_507_456,
      image: { height: 336, width: 336 },
      visualTokens: { count: 576, rows: 24, columns: 24, width: 1024 },
    });
    // Projectors get the output of the last block but one.
    const macs = clipVisionMacs({ ...clipVisionConfigs['clip-vit-large-patch14-336'], numHiddenLayers: 23 }, 336);
    const { matmul, convolution } = plan.flops.forward;
    expect(matmul + convolution).toBe(2 * macs);
    const { training } = plan.flops;
    expect((training.matmul + training.convolution) / (2 * macs)).toBeGreaterThan(2.9);
    expect((training.matmul + training.convolution) / (2 * macs)).toBeLessThanOrEqual(3.1);
  });

  test('takes images of other sizes', async () => {
    const tower = await planOf('clip-vit-large-patch14-336', '--image', '672x1008');
    expect(tower.visualTokens).toMatchObject({ count: 48 * 72, rows: 48, columns: 72 });
    const convNext = await planOf('convllava-convnext-768', '--image', '1536');
    expect(convNext.visualTokens).toMatchObject({ count: 576, width: 3072 });
    const { matmul, convolution } = convNext.flops.forward;
    expect(matmul + convolution).toBe(2 * convNextMacs(convNextConfigs['convllava-convnext-768'], 1536).total);
    expect((await planOf('pix2struct-large', '--image', '1024x1024')).visualTokens).toMatchObject({
      rows: 45,
      columns: 45,
    });
    expect((await planOf('siglip-so400m-patch14-384')).visualTokens!.count).toBe(729);
    expect((await planOf('eagle-sam-vit-large')).visualTokens).toMatchObject({ count: 1024, width: 1024 });
  });

  test('counts two operations per weight and token of a language model, and attention by the context', async () => {
    const { hiddenSize, numHiddenLayers, vocabSize } = llamaConfigs['vicuna-7b-v1.5'];
    const matrices = 6_738_415_616 - vocabSize * hiddenSize - (2 * numHiddenLayers + 1) * hiddenSize;
    for (const context of [512, 4096]) {
      const { flops } = await planOf('lmsys/vicuna-7b-v1.5', '--context', String(context), '--dtype', 'bfloat16');
      const { convolution, matmul } = flops.perToken!;
      expect(convolution).toBe(0);
      // Turning queries and keys is elementwise; the tables of angles are no products.
      expect(matmul).toBe(2 * matrices + 4 * numHiddenLayers * context * hiddenSize);
      expect(flops.forward.matmul).toBe(matmul * context);
      expect(flops.training.matmul / flops.forward.matmul).toBeCloseTo(3, 1);
    }
  });

  test('adds memory up under each precision', async () => {
    const { memory } = await planOf('qwen2-0.5b', '--context', '256', '--batch', '2');
    expect(memory.map(({ precision }) => precision)).toEqual(['float32', 'bfloat16', 'float16', 'int8', 'int4']);
    const [float32, bfloat16, , int8, int4] = memory;
    const count = 494_032_768;
    expect(float32!.inference).toMatchObject({ weights: 4 * count, cache: 24 * 2 * 2 * 64 * 256 * 2 * 4 });
    expect(bfloat16!.inference).toMatchObject({ weights: 2 * count, cache: float32!.inference.cache / 2 });
    expect(float32!.training).toMatchObject({
      loraRank: null,
      trainedParameters: count,
      weights: 4 * count,
      gradients: 4 * count,
      optimizer: 8 * count,
    });
    expect(bfloat16!.training).toMatchObject({ weights: 2 * count, gradients: 2 * count, optimizer: 12 * count });
    expect(int8!.inference.weights).toBeLessThan(float32!.inference.weights);
    expect(int4!.inference.weights).toBeLessThan(int8!.inference.weights);
    // Rank 16 beside q, k, v, o, gate, up and down of 24 layers.
    const adapters = 24 * 16 * (2 * (896 + 896) + 2 * (896 + 128) + 3 * (896 + 4864));
    expect(int4!.training).toMatchObject({
      loraRank: 16,
      trainedParameters: adapters,
      weights: int4!.inference.weights + 4 * adapters,
      gradients: 4 * adapters,
      optimizer: 8 * adapters,
    });
    for (const { inference, training } of memory) {
      expect(inference.total).toBe(inference.weights + inference.cache + inference.activations);
      const { weights, gradients, optimizer, activations, total } = training!;
      expect(total).toBe(weights + gradients + optimizer + activations);
      expect(activations).toBeGreaterThan(inference.activations);
    }
  });

  test('plans the training of adapters', async () => {
    const [full] = (await planOf('vicuna-7b-v1.5', '--context', '512', '--dtype', 'bfloat16')).memory;
    const [lora] = (await planOf('vicuna-7b-v1.5', '--context', '512', '--dtype', 'bfloat16', '--lora', '128')).memory;
    expect(lora!.training).toMatchObject({ loraRank: 128, trainedParameters: 319_815_680 });
    expect(lora!.training!.total).toBeLessThan(full!.training!.total / 2);
  });

  test.each([
    'siglip-so400m-patch14-384',
    'convllava-convnext-768',
    'eva02-large-det',
    'eagle-sam-vit-large',
    'pix2struct-large',
    'roberta-base',
    'internlm2-7b',
  ])('plans %s in few bits, with adapters', async (name) => {
    const { memory } = await planOf(name);
    const [float32, , , int8, int4] = memory;
    expect(int8!.inference.weights).toBeLessThan(0.6 * float32!.inference.weights);
    expect(int4!.inference.weights).toBeLessThan(int8!.inference.weights);
    expect(int4!.training!.loraRank).toBe(16);
    expect(int4!.training!.trainedParameters).toBeLessThan(float32!.training!.trainedParameters / 20);
    expect(int4!.training!.total).toBeLessThan(float32!.training!.total);
  });

  test('grows with the batch', async () => {
    const [one] = (await planOf('clip-vit-base-patch16', '--dtype', 'float32')).memory;
    const [eight] = (await planOf('clip-vit-base-patch16', '--dtype', 'float32', '--batch', '8')).memory;
    expect(eight!.inference.weights).toBe(one!.inference.weights);
    expect(eight!.inference.activations).toBe(8 * one!.inference.activations);
    const growth = eight!.training!.activations / one!.training!.activations;
    expect(growth).toBeGreaterThan(7.5);
    expect(growth).toBeLessThanOrEqual(8);
  });

  test('plans contexts whose masks would not fit into memory', async () => {
    const { flops, memory } = await planOf('qwen2-7b', '--context', '32768', '--dtype', 'bfloat16');
    const { hiddenSize, numHiddenLayers } = llamaConfigs['qwen2-7b'];
    const short = await planOf('qwen2-7b', '--context', '1024', '--dtype', 'bfloat16');
    const difference = flops.perToken!.matmul - short.flops.perToken!.matmul;
    expect(difference).toBe(4 * numHiddenLayers * (32768 - 1024) * hiddenSize);
    expect(memory[0]!.inference.cache).toBe(28 * 2 * 4 * 128 * 32768 * 2);
  });

  test('prints a table', async () => {
    const { code, output } = await run('siglip-so400m-patch14-384');
    expect(code).toBe(0);
    expect(output).toMatch(/^siglip-so400m-patch14-384 \(vision\)\n\nparameters +428,225,600\n/);
    expect(output).toMatch(/^visual tokens +729 \(27 × 27\), 1152 wide$/m);
    expect(output).toMatch(/^FLOPs per image +642 G in products, [\d.]+ G elementwise$/m);
    expect(output).toMatch(/^memory +float32 +bfloat16 +float16 +int8 +int4$/m);
    expect(output).toMatch(/^ {2}weights +1\.71 GB +0\.86 GB +0\.86 GB +0\.\d\d GB +0\.\d\d GB$/m);
    expect(output).toMatch(/Training under int8 and int4 is of adapters of rank 16/);
    const decoder = await run('qwen2-0.5b', '--dtype', 'bfloat16', '--lora', '8', '--context', '64');
    expect(decoder.output).toMatch(/^FLOPs per token +/m);
    expect(decoder.output).toMatch(/^ {2}keys and values +\d/m);
    expect(decoder.output).toMatch(/Training is of adapters of rank 8 on all linear layers/);
  });

  test.each([
    [['clip-vit-large-patch14-33'], /Did you mean clip-vit-large-patch14-336\?/],
    [['viccuna-7b-v1.5'], /model: expected one of clip-.*received "viccuna-7b-v1\.5"\. Did you mean vicuna-7b-v1\.5\?/],
    [['vicuna-7b-v1.5', '--context', '5000'], /at most 4096 tokens, which vicuna-7b-v1\.5 is made for, received 5000/],
    [['vicuna-7b-v1.5', '--context', '0'], /argument '0' is invalid/],
    [['clip-vit-base-patch16', '--image', '336x'], /such as 336x336/],
    [['clip-vit-base-patch16', '--image', '0x10'], /such as 336x336/],
    [['clip-vit-base-patch16', '--dtype', 'int2'], /Allowed choices are float32, bfloat16, float16, int8, int4/],
    [['clip-vit-base-patch16', '--image', '8x8'], /expected pixels .*at least 16 × 16/],
  ])('refuses %j', async (args, message) => {
    const { code, output, errors } = await run(...args);
    expect(code).toBeGreaterThan(0);
    expect(output).toBe('');
    expect(errors).toMatch(message);
  });

  test('needs the name of a model', async () => {
    const terminal = memoryTerminal();
    expect(await runCommandLine(['plan'], terminal)).toBe(2);
    expect(terminal.errors).toMatch(/expected --model NAME or --recipe SYSTEM\[:VARIANT\], received neither/);
  });
});

test.each([
  [0, '0'],
  [999, '999'],
  [12_345, '12.3 k'],
  [999_999, '1.00 M'],
  [366_000_000_000, '366 G'],
  [2.5e15, '2.50 P'],
])('%d is %s', (value, text) => {
  expect(formatAmount(value)).toBe(text);
});
