import { trainOnly } from '@ocelli/core-tensor';
import { convNextConfigs, convNextMacs } from '@ocelli/encoders';
import { llamaConfigs } from '@ocelli/language';
import { createPublished, modelParts, type PublishedSystem, publishedSystems } from '@ocelli/vlm';
import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/command-line.js';
import type { RecipeOutline } from '../../src/plan/outline-recipe.js';
import type { RecipePlan } from '../../src/plan/plan-recipe.js';
import { memoryTerminal } from '../memory-terminal.js';

async function run(...args: string[]) {
  const terminal = memoryTerminal();
  const code = await runCommandLine(['plan', ...args], terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

const plans = new Map<string, RecipePlan>();

/** Plans are made once; they stay the same. */
async function planOf(recipe: string, ...args: string[]): Promise<RecipePlan> {
  const name = [recipe, ...args].join(' ');
  const known = plans.get(name);
  if (known) return known;
  const { code, output, errors } = await run('--recipe', recipe, ...args, '--json');
  expect([code, errors]).toEqual([0, '']);
  const plan = JSON.parse(output) as RecipePlan;
  plans.set(name, plan);
  return plan;
}

const products = ({ matmul, convolution }: { matmul: number; convolution: number }) => matmul + convolution;

/** Multiplications and additions of a prompt: full attention, and the head for the last token. */
function prefillFlops(name: 'vicuna-7b-v1.5' | 'vicuna-13b-v1.5', tokens: number): number {
  const { hiddenSize: c, intermediateSize: f, numHiddenLayers: layers, vocabSize } = llamaConfigs[name];
  return 2 * (layers * ((4 * c ** 2 + 3 * c * f) * tokens + 2 * tokens ** 2 * c) + vocabSize * c);
}

describe('ocelli plan --recipe SYSTEM:VARIANT', () => {
  test('says what a model is made of, and what it computes', async () => {
    const plan = await planOf('honeybee:c-7b-m144');
    expect(plan).toMatchObject({
      system: 'honeybee',
      variant: 'c-7b-m144',
      paper: 'arXiv 2312.06742',
      image: { height: 224, width: 224 },
      towerInputs: 1,
      visualTokens: 144,
      context: 272,
      parameters: {
        total: 7_078_665_728,
        parts: [
          { name: 'vision', parameters: 303_179_776 },
          { name: 'projector', parameters: 37_070_336 },
          { name: 'language', parameters: 6_738_415_616 },
        ],
      },
    });
    expect(products(plan.flops.prefill)).toBe(prefillFlops('vicuna-7b-v1.5', 272));
    const c = 4096;
    const perLayer = 4 * c ** 2 + 3 * c * 11008 + 2 * c * (272 + 1);
    expect(products(plan.flops.perToken!)).toBe(2 * (32 * perLayer + 32_000 * c));
    expect(plan.memory.map(({ precision }) => precision)).toEqual(['float32', 'bfloat16', 'float16', 'int8', 'int4']);
    // What programs rely on, as the README lists it.
    const keys = (value: object | undefined) => Object.keys(value ?? {}).join(' ');
    expect(keys(plan)).toBe(
      'system variant title paper note image towerInputs visualTokens context parameters flops batch stages memory published',
    );
    expect(keys(plan.flops)).toBe('encoders projection prefill perToken');
    expect(keys(plan.flops.prefill)).toBe('matmul convolution elementwise');
    expect(keys(plan.stages[0])).toBe('name source publishedBatch context visualTokens trained flops');
    expect(keys(plan.stages[0]!.trained)).toBe('total parts');
    expect(keys(plan.memory[0])).toBe('precision inference training');
    expect(keys(plan.memory[0]!.inference)).toBe('weights cache activations total');
    expect(keys(plan.memory[0]!.training[0])).toBe(
      'stage loraRank trainedParameters weights gradients optimizer activations total',
    );
    expect(keys(plan.published[0])).toBe(
      'quantity parts stage image published found beside tolerance agrees expected source note',
    );
  });

  test('says what trains in each stage, and how much memory that takes', async () => {
    const { stages, memory, parameters } = await planOf('honeybee:c-7b-m144');
    expect(
      stages.map(({ name, context, publishedBatch, trained }) => [name, context, publishedBatch, trained.total]),
    ).toEqual([
      ['pre-training', 1024, 256, 37_070_336],
      ['instruction-tuning', 1023, 128, 37_070_336 + 6_738_415_616],
    ]);
    expect(stages[0]!.trained.parts).toEqual([{ name: 'projector', parameters: 37_070_336 }]);
    const [float32, bfloat16, , int8, int4] = memory;
    const { total } = parameters;
    expect(float32!.inference.weights).toBe(4 * total);
    expect(bfloat16!.inference).toMatchObject({ weights: 2 * total, cache: 2 * 32 * 272 * 4096 * 2 });
    const [first, second] = bfloat16!.training;
    expect(first).toMatchObject({
      weights: 2 * total,
      gradients: 2 * 37_070_336,
      optimizer: 12 * 37_070_336,
      loraRank: null,
    });
    expect(second).toMatchObject({ stage: 'instruction-tuning', gradients: 2 * stages[1]!.trained.total });
    // Quantized weights train adapters in place of the language model: rank 16 on its linear layers but the head.
    const adapters = 16 * 32 * (4 * (4096 + 4096) + 3 * (4096 + 11008));
    expect(int4!.training).toMatchObject([
      { loraRank: null, trainedParameters: 37_070_336 },
      { loraRank: 16, trainedParameters: 37_070_336 + adapters },
    ]);
    expect(int4!.inference.weights).toBeLessThan(int8!.inference.weights);
    expect(int8!.inference.weights).toBeLessThan(0.6 * float32!.inference.weights);
    for (const { inference, training } of memory) {
      expect(inference.total).toBe(inference.weights + inference.cache + inference.activations);
      for (const { weights, gradients, optimizer, activations, total: sum } of training) {
        expect(sum).toBe(weights + gradients + optimizer + activations);
        expect(activations).toBeGreaterThan(inference.activations);
      }
    }
  });

  test('a stage that trains more costs more', async () => {
    const [projector, unlocked, everything] = (await planOf('eagle:clip-convnext-concat', '--dtype', 'bfloat16'))
      .stages;
    expect(projector!.trained.parts.map(({ name }) => name)).toEqual(['projector']);
    expect(unlocked!.trained.parts.map(({ name }) => name)).toEqual(['clip', 'convnext', 'projector']);
    expect(everything!.trained.parts.map(({ name }) => name)).toEqual(['clip', 'convnext', 'projector', 'language']);
    expect(products(unlocked!.flops)).toBeGreaterThan(1.1 * products(projector!.flops));
    expect(products(everything!.flops)).toBeGreaterThan(1.1 * products(unlocked!.flops));
  });

  test('counts an encoder by its own formula', async () => {
    const { flops, stages, visualTokens } = await planOf('convllava:1024', '--dtype', 'float32');
    expect(visualTokens).toBe(256);
    expect(products(flops.encoders)).toBe(2 * convNextMacs(convNextConfigs['convllava-convnext-1024'], 1024).total);
    expect(products(flops.projection)).toBe(2 * 256 * (3072 * 4096 + 4096 * 4096));
    expect(stages.map(({ trained }) => trained.parts.map(({ name }) => name))).toEqual([
      ['vision', 'projector'],
      ['vision', 'projector', 'language'],
      ['projector', 'language'],
    ]);
  });

  test('cuts images into tiles where the model does', async () => {
    const plan = await planOf('manager:llava-ov-manager-grid', '--image', '1080x1920', '--dtype', 'bfloat16');
    expect(plan).toMatchObject({
      image: { height: 1080, width: 1920 },
      towerInputs: 16,
      visualTokens: 7269,
      context: 7269 + 128,
    });
    // Grids begin with stage 1.5, which has fewer canvases and no limit.
    expect(plan.stages.map(({ name, visualTokens, context }) => [name, visualTokens, context])).toEqual([
      ['stage-1', 729, 8192],
      ['stage-1.5', 729 + 30 * 55, 16_384],
      ['stage-2', 7269, 16_384],
    ]);
    const single = await planOf('manager:llava-ov-manager', '--dtype', 'bfloat16');
    expect(products(plan.flops.encoders)).toBe(16 * products(single.flops.encoders));
  });

  test('plans a model that reads and writes no text further', async () => {
    const plan = await planOf('manager:managertower-base');
    expect(plan).toMatchObject({ context: 50, visualTokens: 325, flops: { perToken: null } });
    expect(plan.memory.every(({ inference }) => inference.cache === 0)).toBe(true);
    expect(plan.memory.map(({ training }) => training.length)).toEqual([1, 1, 1, 0, 0]);
    // Twice a forward and a backward pass: one with masked words, one without.
    const forward = products(plan.flops.encoders) + products(plan.flops.projection) + products(plan.flops.prefill);
    expect(products(plan.stages[0]!.flops) / forward).toBeGreaterThan(5.5);
    expect(products(plan.stages[0]!.flops) / forward).toBeLessThan(6.8);
  });

  test('plans the two steps of MoAI', async () => {
    const { stages, parameters, flops } = await planOf('moai:7b', '--dtype', 'bfloat16');
    expect(parameters.total).toBe(8_868_637_720);
    expect(stages.map(({ name, trained }) => [name, trained.total])).toEqual([
      ['step1', 201_793_560 - 8 * (3 * 4096 + 3)],
      ['step2', 201_793_560],
    ]);
    // The map of what was segmented is seen as an image, too.
    const clip = 24 * (12 * 1024 ** 2 * 1226 + 2 * 1226 ** 2 * 1024) + 588 * 1024 * 1225;
    expect(products(flops.encoders)).toBe(2 * 2 * clip);
  });

  test('takes sizes, a batch and adapters', async () => {
    const one = await planOf('convllava:768', '--dtype', 'bfloat16');
    const large = await planOf('convllava:768', '--dtype', 'bfloat16', '--image', '1536', '--context', '1000');
    expect([large.visualTokens, large.context, large.stages[0]!.context]).toEqual([576, 1000, 1000]);
    expect(products(large.flops.encoders)).toBe(4 * products(one.flops.encoders));
    const two = await planOf('convllava:768', '--dtype', 'bfloat16', '--batch', '2', '--lora', '128');
    expect(two.flops).toEqual(one.flops);
    expect(two.memory[0]!.inference.cache).toBe(2 * one.memory[0]!.inference.cache);
    const [first, , tuning] = two.memory[0]!.training;
    const [single] = one.memory[0]!.training;
    expect(first!.activations / single!.activations).toBeGreaterThan(1.8);
    expect(first!.activations / single!.activations).toBeLessThanOrEqual(2);
    // The first stage does not train the language model.
    expect([first!.loraRank, tuning!.loraRank]).toEqual([null, 128]);
    expect(tuning!.trainedParameters).toBe(29_368_320 + 319_815_680);
  });

  test('prints tables', async () => {
    const { code, output } = await run('--recipe', 'Honeybee:C-7B-M144', '--dtype', 'bfloat16');
    expect(code).toBe(0);
    expect(output).toMatch(/^honeybee:c-7b-m144 – Honeybee C-7B, M = 144, 224 pixels \(arXiv 2312\.06742\)\n\n/);
    expect(output).toMatch(/^visual tokens +144$/m);
    expect(output).toMatch(/^parameters +all +pre-training +instruction-tuning$/m);
    expect(output).toMatch(/^projector +37,070,336 +37,070,336 +37,070,336$/m);
    expect(output).toMatch(/^language +6,738,415,616 +– +6,738,415,616$/m);
    expect(output).toMatch(/^sequences of a step, as published +256 +128$/m);
    expect(output).toMatch(/^ {2}keys and values +0\.14 GB$/m);
    expect(output).toMatch(/^parameters of projector +37,070,336 +37,070,336 +official modules/m);
    const { output: other } = await run('--recipe', 'eagle:clip-convnext-deformable', '--dtype', 'bfloat16');
    expect(other).toMatch(/1,177,360,328 +1,201,000,000 +paper, table 4 – does not agree \(widths/);
  });
});

describe('ocelli plan --recipe SYSTEM', () => {
  test('prints all variants', async () => {
    const { code, output } = await run('--recipe', 'honeybee');
    expect(code).toBe(0);
    for (const name of Object.keys(publishedSystems.honeybee.variants)) expect(output).toContain(`\n${name} `);
    expect(output).toMatch(
      /^c-13b-m576 +13\.4 B +304 M +47\.9 M +13\.0 B +576 +366 G +50\.8 G +18\.3 T \(704\) +26\.7 GB$/m,
    );
    expect(output).toContain('ocelli plan --recipe honeybee:c-7b-m144');
  });

  test('gives them as JSON, without training', async () => {
    const { output } = await run('--recipe', 'moai', '--json');
    const { system, paper, variants } = JSON.parse(output) as {
      readonly system: string;
      readonly paper: string;
      readonly variants: readonly RecipeOutline[];
    };
    expect([system, paper, variants.map(({ variant }) => variant)]).toEqual(['moai', 'arXiv 2403.07508', ['7b']]);
    expect(Object.keys(variants[0]!)).toEqual([
      'system',
      'variant',
      'title',
      'paper',
      'note',
      'image',
      'towerInputs',
      'visualTokens',
      'context',
      'parameters',
      'flops',
    ]);
  });
});

test.each([
  [['--recipe', 'honeybe'], /recipe: expected one of manager, honeybee.*received "honeybe"\. Did you mean honeybee\?/],
  [['--recipe', 'eagle:x5-7'], /variant of eagle: expected one of x4-7b, .*received "x5-7"\. Did you mean x5-7b\?/],
  [['--recipe', 'eagle:'], /variant of eagle: .*received ""/],
  [['--recipe', 'moai:7b:'], /variant of moai: .*received "7b:"/],
  [['--recipe', 'eagle', '--model', 'vicuna-7b-v1.5'], /cannot be used with option '--model/],
  [[], /expected --model NAME or --recipe SYSTEM\[:VARIANT\], received neither/],
  [
    ['--recipe', 'honeybee:c-7b-m144', '--context', '144'],
    /--context of 145 to 4096 tokens for c-7b-m144.*received 144/,
  ],
  [['--recipe', 'moai:7b', '--context', '40000'], /--context of 1226 to 32768 tokens for 7b/],
  [['--recipe', 'convllava:768', '--image', '768x1024'], /expected a square --image.*received 768x1024/],
  [
    ['--recipe', 'manager:managertower-base', '--lora', '8'],
    /with a language model for --lora, received managertower-base/,
  ],
])('refuses %j', async (args, message) => {
  const { code, output, errors } = await run(...args);
  expect(code).toBe(2);
  expect(output).toBe('');
  expect(errors).toMatch(message);
});

describe('every variant', () => {
  const all = Object.entries<PublishedSystem>(publishedSystems).flatMap(([system, { variants }]) =>
    Object.entries(variants).map(([name, variant]) => [`${system}:${name}`, variant] as const),
  );

  test.each(all)('%s has stages that train something, and no weights yet', (_, { architecture, stages }) => {
    const model = createPublished(architecture);
    expect(stages.length).toBeGreaterThan(0);
    expect(new Set(stages.map(({ name }) => name)).size).toBe(stages.length);
    for (const stage of stages) expect(Object.keys(trainOnly(model, stage)).length).toBeGreaterThan(0);
    const parts = Object.values(modelParts(model)).flatMap((part) => Object.keys(part));
    expect(parts.sort()).toEqual(Object.keys(model.namedParameters()).sort());
    expect(Object.values(model.namedParameters()).some(({ isMaterialized }) => isMaterialized)).toBe(false);
  });
});
