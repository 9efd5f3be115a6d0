import { readFile } from 'node:fs/promises';
import type { SampleQuestion } from '../report/results.js';
import type { VariantRun } from './variant-run.js';
import type { World } from './world.js';

/** Questions shown per type. */
const perType = 2;

/** The first test questions of each type with every variant's answer under the first seed: shown, not selected. */
export async function chooseSamples(
  world: World,
  runs: ReadonlyMap<string, readonly VariantRun[]>,
): Promise<SampleQuestion[]> {
  const shown = new Map<string, number>();
  const samples: SampleQuestion[] = [];
  for (const { id, image, questions } of world.test) {
    // One question per picture, so that more pictures are seen.
    const turn = questions.findIndex(({ type }) => (shown.get(type) ?? 0) < perType);
    if (turn < 0) continue;
    const { type, text, answer } = questions[turn]!;
    shown.set(type, (shown.get(type) ?? 0) + 1);
    const answers = [...runs].map(([variant, [first]]) => {
      const scored = first!.questions.find((each) => each.id === `${id}#${turn}`)!;
      return { variant, answer: scored.answer, isCorrect: scored.correct };
    });
    const bytes = await readFile(image);
    samples.push({
      type,
      question: text,
      expected: answer,
      image: `data:image/png;base64,${bytes.toString('base64')}`,
      answers,
    });
  }
  return samples.sort((a, b) => a.type.localeCompare(b.type));
}
