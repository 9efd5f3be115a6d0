import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closeEngine, saveWeights } from '@ocelli/core-tensor';
import { accuracyByType, constantBaseline, type ScoredQuestion } from '@ocelli/eval';
import { loadModel } from '@ocelli/vlm';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluateCommand } from '../../src/evaluate/evaluate.js';
import type { TrainingConfig } from '../../src/train/config.js';
import { trainCommand } from '../../src/train/train.js';
import {
  generateWorld,
  memoryReporter,
  neverAborted,
  ocelli,
  readJson,
  temporaryFolder,
  tinyConfig,
  writeConfig,
} from './tiny-run.js';

interface Evaluation {
  readonly questions: { readonly asked: number; readonly available: number };
  readonly accuracy: { readonly byType: Readonly<Record<string, number>>; readonly overall: number };
  readonly baseline: unknown;
  readonly answers: readonly ScoredQuestion[];
}

describe('a model that is trained and evaluated', () => {
  let folder: string;
  let config: string;
  let run: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    run = join(folder, 'run');
    await generateWorld(folder);
    config = await writeConfig(folder, tinyConfig);
    await trainCommand(config, { out: run, resume: false, reporter: memoryReporter(), signal: neverAborted });
  });

  it('leaves its resolved configuration, tokenizer, metrics and weights', async () => {
    const resolved = await readJson<TrainingConfig>(join(run, 'config.json'));
    expect(resolved.data.test).toEqual({ file: join(folder, 'world/test.json'), imageRoot: join(folder, 'world') });
    expect(resolved.language.config.vocabSize).toBeGreaterThan(260);
    expect(resolved.projector).toMatchObject({
      type: 'mlp',
      visionWidth: 16,
      languageWidth: 16,
      depth: 2,
    });
    expect(resolved.template).toMatchObject({ name: 'honeybee_default', userPrefix: '\nHuman: ' });
    expect(resolved.stages[1]!.data).toEqual([
      { name: 'questions', weight: 3, sampling: 'all' },
      { name: 'captions', weight: 1, sampling: 'all' },
    ]);
    expect(resolved.vision.config).toMatchObject({ type: 'clip', layerNormEps: 1e-5 });
    expect(resolved.vision.imageProcessor).toMatchObject({ resize: { width: 32, height: 32 }, crop: null });
    expect(await readJson(join(run, 'model', 'config.json'))).toMatchObject({
      vision: resolved.vision.config,
      projector: resolved.projector,
    });
    expect(existsSync(join(run, 'tokenizer', 'tokenizer.json'))).toBe(true);
    const lines = (await readFile(join(run, 'metrics.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ stage }) => stage)).toEqual([...Array(3).fill('captions'), ...Array(20).fill('questions')]);
    expect(lines.at(-1).loss).toBeLessThan(lines[3].loss);
  });

  it('can be trained again from its resolved configuration, to the same bytes', async () => {
    const again = join(folder, 'again');
    await trainCommand(join(run, 'config.json'), {
      out: again,
      resume: false,
      reporter: memoryReporter(),
      signal: neverAborted,
    });
    expect(await bytesOfModel(again)).toEqual(await bytesOfModel(run));
  });

  it('ends with the same bytes where it is interrupted and resumed', async () => {
    const interrupted = join(folder, 'interrupted');
    const controller = new AbortController();
    // In the middle of the second stage.
    const watch = setInterval(async () => {
      const text = await readFile(join(interrupted, 'metrics.jsonl'), 'utf8').catch(() => '');
      if (text.split('\n').length > 6) controller.abort();
    }, 2);
    const reporter = memoryReporter();
    const stopped = trainCommand(config, { out: interrupted, resume: false, reporter, signal: controller.signal });
    const error = await stopped.catch((reason: unknown) => reason);
    clearInterval(watch);
    expect(controller.signal.aborted).toBe(true);
    expect(error).toBe(controller.signal.reason);
    expect(existsSync(join(interrupted, 'model'))).toBe(false);
    expect(reporter.lines.at(-1)).toMatch(/--resume/);
    const { step } = await readJson<{ step: number }>(
      join(interrupted, 'checkpoints', await latest(interrupted), 'trainer.json'),
    );
    expect(step).toBeGreaterThan(3);
    expect(step).toBeLessThan(23);

    expect(await ocelli('eval', interrupted)).toMatchObject({
      code: 1,
      errors: expect.stringContaining('Finish the training with --resume'),
    });
    await trainCommand(config, { out: interrupted, resume: true, reporter, signal: neverAborted });
    expect(await bytesOfModel(interrupted)).toEqual(await bytesOfModel(run));
  });

  it('starts from the weights and the tokenizer of another run', async () => {
    const first = await loadModel(join(run, 'model'), { kind: 'vision-language' });
    const before = await first.state();
    await saveWeights(join(folder, 'tower'), first.vision);
    await saveWeights(join(folder, 'decoder'), first.language);
    const second = await writeConfig(
      folder,
      {
        ...tinyConfig,
        seed: 9,
        tokenizer: { folder: 'run/tokenizer' },
        vision: { ...tinyConfig.vision, weights: 'tower' },
        language: { ...tinyConfig.language, weights: 'decoder/model.safetensors' },
        stages: [{ ...tinyConfig.stages[0], steps: 1 }],
      },
      'second.yaml',
    );
    const out = join(folder, 'second');
    await trainCommand(second, { out, resume: false, reporter: memoryReporter(), signal: neverAborted });
    const after = await (await loadModel(join(out, 'model'))).state();
    const changed = Object.keys(before).filter((name) => !equal(before[name]!.data, after[name]!.data));
    expect(changed.sort()).toEqual(
      Object.keys(before)
        .filter((name) => name.startsWith('projector.'))
        .sort(),
    );
    const file = join('tokenizer', 'tokenizer.json');
    expect(await readFile(join(out, file), 'utf8')).toBe(await readFile(join(run, file), 'utf8'));
    await closeEngine();
  });

  it('is asked every question of a split, and scored beside the best constant answer', async () => {
    const reporter = memoryReporter();
    const file = await evaluateCommand(run, { split: 'test', reporter, signal: neverAborted });
    expect(file).toBe(join(run, 'evaluation-test.json'));
    const { questions, accuracy, baseline, answers } = await readJson<Evaluation>(file);
    const records = await readJson<{ id: string; question_types: string[]; conversations: { value: string }[] }[]>(
      join(folder, 'world/test.json'),
    );
    expect(questions).toEqual({ asked: 12, available: 12 });
    expect(answers.map(({ id, type, expected }) => ({ id, type, expected }))).toEqual(
      records.flatMap(({ id, question_types, conversations }) =>
        question_types.map((type, turn) => ({
          id: `${id}#${turn}`,
          type,
          expected: conversations[2 * turn + 1]!.value,
        })),
      ),
    );
    expect(accuracy).toEqual(accuracyByType(answers));
    expect(baseline).toEqual(constantBaseline(answers));
    const [heading, ...rows] = reporter.lines[0]!.split('\n');
    expect(heading).toMatch(/questions +accuracy +best constant$/);
    expect(rows.map((row) => row.split(/ +/)[0])).toEqual([...Object.keys(accuracy.byType), 'overall']);
    expect(rows.at(-1)).toContain((100 * accuracy.overall).toFixed(1));
  });

  it('is asked only the first questions where there is a limit, and those of another split', async () => {
    const { code, output } = await ocelli('eval', run, '--split', 'captions', '--limit', '5');
    expect(code).toBe(0);
    expect(output).toContain(join(run, 'evaluation-captions.json'));
    const { questions, answers } = await readJson<Evaluation>(join(run, 'evaluation-captions.json'));
    expect(questions).toEqual({ asked: 5, available: 24 });
    expect(answers.map(({ type }) => type)).toEqual(Array(5).fill('caption'));
  });

  it('is not scored where the evaluation is interrupted', async () => {
    const controller = new AbortController();
    controller.abort();
    const options = { split: 'questions', reporter: memoryReporter(), signal: controller.signal };
    const error = await evaluateCommand(run, options).catch((reason: unknown) => reason);
    expect(error).toBe(controller.signal.reason);
    expect(existsSync(join(run, 'evaluation-questions.json'))).toBe(false);
  });

  it('names the splits where it is asked for an unknown one', async () => {
    expect(await ocelli('eval', run, '--split', 'tset')).toEqual({
      code: 2,
      output: '',
      errors: '--split: expected one of captions, questions, test, received "tset". Did you mean test?\n',
    });
  });

  it('is not trained over by another run', async () => {
    const before = await bytesOfModel(run);
    const { code, errors } = await ocelli('train', config, '--out', run);
    expect(code).toBe(1);
    expect(errors).toMatch(/expected a folder without a run.*--resume.*--out/s);
    const other = await writeConfig(folder, { ...tinyConfig, projector: { type: 'linear' } }, 'other.yaml');
    const resumed = await ocelli('train', other, '--out', run, '--resume');
    expect(resumed.code).toBe(1);
    expect(resumed.errors).toMatch(/model\.projector\.type = "mlp", received "linear"/);
    expect(await bytesOfModel(run)).toEqual(before);
  });
});

function equal(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): boolean {
  return a.length === b.length && Array.from(a).every((value, index) => value === b[index]);
}

async function latest(run: string): Promise<string> {
  return (await readFile(join(run, 'checkpoints', 'latest'), 'utf8')).trim();
}

async function bytesOfModel(run: string): Promise<Record<string, string>> {
  const model = join(run, 'model');
  const names = (await readdir(model)).sort();
  expect(names).toContain('model.safetensors');
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await readFile(join(model, name))).toString('base64')])),
  );
}
