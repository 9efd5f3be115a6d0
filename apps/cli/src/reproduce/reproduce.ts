import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, closeEngine, currentEngine, writeFileAtomically } from '@ocelli/core-tensor';
import { constantBaseline } from '@ocelli/eval';
import { loadRecipe } from '../recipe/load-recipe.js';
import type { Recipe } from '../recipe/schema.js';
import { describeMachine } from '../report/machine.js';
import type { RecipeResults, VariantResults } from '../report/results.js';
import { renderTextReport } from '../report/text-report.js';
import { type WrittenReport, writeReport } from '../report/write-report.js';
import { checkClaims } from './claims.js';
import type { ReproduceContext } from './context.js';
import { pretrainLanguage, pretrainVision } from './pretrain.js';
import { chooseSamples } from './samples.js';
import { runVariant, type VariantRun } from './variant-run.js';
import { prepareWorld, type World } from './world.js';

export interface ReproduceOptions extends ReproduceContext {
  readonly scale: 'mini';
  /** Seeds per variant. Default: the recipe's. */
  readonly seeds?: number | undefined;
  /** Folder of the run. */
  readonly out: string;
  /** Go on where an earlier call was interrupted; nothing to go on from is no error. */
  readonly resume: boolean;
}

/**
 * Trains and evaluates every variant of a recipe under several seeds, checks the paper's claims, and writes
 * `report.html`, `results.json` and the resolved `recipe.json`.
 *
 * @throws UnknownNameError for a recipe that does not exist; ConfigError if the folder holds another run.
 */
export async function reproduce(name: string, options: ReproduceOptions): Promise<WrittenReport> {
  const { reporter, out } = options;
  const loaded = await loadRecipe(name);
  const scale = { ...loaded.scales[options.scale], seeds: options.seeds ?? loaded.scales[options.scale].seeds };
  const recipe: Recipe = { ...loaded, scales: { [options.scale]: scale } };
  const start = performance.now();
  await openRunFolder(out, recipe, options.resume);
  try {
    const world = await prepareWorld(scale, options);
    const vision = await pretrainVision(scale, world, options);
    const language = await pretrainLanguage(scale, world, options);

    const runs = new Map<string, VariantRun[]>(Object.keys(scale.variants).map((variant) => [variant, []]));
    // All variants under one seed before the next: an interrupted run has comparable ones.
    for (let seed = 1; seed <= scale.seeds; seed++) {
      for (const variant of runs.keys()) {
        reporter.line(`${variant}, seed ${seed} of ${scale.seeds}`);
        const folder = join(out, 'runs', variant, `seed-${seed}`);
        const run = await runVariant({ scale, world, shared: { vision, language }, variant, seed, folder }, options);
        runs.get(variant)!.push(run);
        const scores = Object.entries(run.run.accuracy).map(([type, share]) => `${type} ${(100 * share).toFixed(1)}%`);
        reporter.line(`  ${scores.join('  ')}`);
      }
    }
    const results = await summarize(recipe, options.scale, world, runs, (performance.now() - start) / 1000);
    const written = await writeReport(results, out);
    reporter.line(`\n${renderTextReport(results)}`);
    reporter.line(`Report: ${written.htmlFile}`);
    return written;
  } finally {
    await closeEngine();
  }
}

/** Makes the folder, or checks that it is of the same run. */
async function openRunFolder(out: string, recipe: Recipe, resume: boolean): Promise<void> {
  const file = join(out, 'recipe.json');
  const text = `${JSON.stringify(recipe, undefined, 2)}\n`;
  await mkdir(out, { recursive: true });
  if (!existsSync(file)) {
    await writeFileAtomically(file, text);
    return;
  }
  const refuse = (expected: string, received: string, remedy: string) =>
    new ConfigError({ operation: `reproduce into ${out}`, expected, received, remedy });
  if (!resume)
    throw refuse(
      'an empty folder',
      'a folder with a run',
      'Continue it with --resume, or choose another folder with --out.',
    );
  if ((await readFile(file, 'utf8')) !== text) {
    throw refuse(
      'a run of this recipe with the same settings',
      'a run with others',
      'Choose another folder with --out.',
    );
  }
}

async function summarize(
  recipe: Recipe,
  scale: 'mini',
  world: World,
  runs: ReadonlyMap<string, readonly VariantRun[]>,
  durationSeconds: number,
): Promise<RecipeResults> {
  const baseline = constantBaseline(
    world.test.flatMap(({ questions }) => questions.map(({ type, answer }) => ({ type, expected: answer }))),
  );
  const { numbers, source, title, url } = recipe.paper;
  const variants = [...runs].map(
    ([name, each]): VariantResults => ({
      name,
      visualTokens: each[0]!.visualTokens,
      parameters: each[0]!.parameters,
      runs: each.map(({ run }) => run),
      ...(numbers[name] && { published: numbers[name] }),
    }),
  );
  return {
    recipe: recipe.name,
    paper: { title, url },
    scale,
    date: new Date().toISOString(),
    durationSeconds,
    questionTypes: Object.keys(baseline.byType),
    questionCounts: baseline.counts,
    baseline: baseline.byType,
    overallBaseline: baseline.overall,
    variants,
    published: { measures: [...new Set(Object.values(numbers).flatMap(Object.keys))], source },
    claims: checkClaims(recipe.claims, variants, baseline.counts),
    samples: await chooseSamples(world, runs),
    machine: describeMachine((await currentEngine()).name),
    resolvedRecipe: recipe,
  };
}
