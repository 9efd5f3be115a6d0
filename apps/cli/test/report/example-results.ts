import type { RecipeResults, SeedRun, VariantResults } from '../../src/report/results.js';

const questionTypes = ['existence', 'count', 'colour', 'shape', 'relation', 'position', 'reading', 'verification'];

/** One pixel. */
export const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M/wHwAEBgIApD5fRAAAAABJRU5ErkJggg==';

function run(seed: number, level: number, millisecondsPerStep: number): SeedRun {
  const wobble = (index: number) => 0.03 * Math.sin(7 * seed + 3 * index);
  const accuracy = Object.fromEntries(questionTypes.map((type, index) => [type, level - 0.04 * index + wobble(index)]));
  const loss = (start: number, steps: number) =>
    Array.from({ length: steps / 5 }, (_, index) => ({
      step: (index + 1) * 5,
      loss: start * Math.exp(-index / 40) + 0.4 + 0.02 * Math.sin(seed + index),
    }));
  const values = Object.values(accuracy);
  return {
    seed,
    accuracy,
    overall: values.reduce((sum, value) => sum + value) / values.length,
    stages: [
      { name: 'pretrain', steps: 400, secondsPerStep: millisecondsPerStep / 1000, loss: loss(3, 400) },
      { name: 'finetune', steps: 600, secondsPerStep: (1.4 * millisecondsPerStep) / 1000, loss: loss(1.5, 600) },
    ],
  };
}

function variant(name: string, level: number, visualTokens: number, milliseconds: number, mmb: number): VariantResults {
  const runs = [1, 2, 3].map((seed) => run(seed, level, milliseconds));
  return {
    name,
    visualTokens,
    parameters: 1_240_000 + visualTokens,
    runs,
    published: { MMB: mmb, 'MME position': 2 * mmb },
  };
}

/** Results with every part that a report shows. */
export const exampleResults: RecipeResults = {
  recipe: 'honeybee',
  paper: {
    title: 'Honeybee: Locality-enhanced Projector for Multimodal LLM',
    source: 'CVPR 2024',
    url: 'https://arxiv.org/abs/2312.06742',
  },
  scale: 'mini',
  date: '2026-01-02T03:04:05.000Z',
  durationSeconds: 754,
  questionTypes,
  baseline: Object.fromEntries(questionTypes.map((type, index) => [type, 0.5 - 0.05 * index])),
  overallBaseline: 0.325,
  variants: [
    variant('linear', 0.74, 36, 41, 67.1),
    variant('resampler', 0.62, 16, 30, 66),
    variant('C-Abstractor 16', 0.81, 16, 33, 69.2),
    variant('C-Abstractor 36', 0.84, 36, 44, 70.2),
  ],
  published: { measures: ['MMB', 'MME position'], source: 'tables 3 and 8' },
  claims: [
    {
      statement: 'The C-Abstractor beats the resampler on spatial questions at equal tokens.',
      held: true,
      evidence: '63.1 against 44.2, every seed',
    },
    {
      statement: 'The resampler loses most on positions.',
      held: false,
      evidence: 'loses 19.0 on position, 19.4 on count',
    },
    {
      statement: 'More tokens help the C-Abstractor.',
      held: undefined,
      evidence: 'differs by 0.4 with a deviation of 1.1',
    },
  ],
  samples: [
    {
      type: 'count',
      question: 'How many <red> circles are there & where?',
      expected: '2',
      image: pixel,
      answers: [
        { variant: 'linear', answer: '2', isCorrect: true },
        { variant: 'resampler', answer: '"3"', isCorrect: false },
      ],
    },
  ],
  machine: {
    platform: 'linux x64',
    processor: 'A processor',
    threads: 2,
    memoryBytes: 16 * 2 ** 30,
    node: '22.0.0',
    engine: 'ort',
  },
  resolvedRecipe: { name: 'honeybee', stages: [{ name: 'pretrain', learningRate: 0.001 }] },
};
